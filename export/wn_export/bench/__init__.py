"""wn-bench: how fast every engine is here."""
