"""Models and their streams."""
