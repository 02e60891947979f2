"""wn-export, wn-parity and wn-bench."""
