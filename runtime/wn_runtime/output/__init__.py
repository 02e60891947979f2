"""Where audio goes: files, pipes, a loudspeaker."""
