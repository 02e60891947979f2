"""What differs between Linux, macOS and Windows, and is asked for nowhere else."""
