"""What a recording tells frame by frame: mel spectrum, level, pitch. NumPy; pitch needs pyworld."""
