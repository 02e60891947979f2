"""wn-targets."""
