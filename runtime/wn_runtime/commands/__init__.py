"""wn-run, wn-inspect and wn-doctor, and what every command shares."""
