"""wn-train."""
