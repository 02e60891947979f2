"""A checkpoint, or a model directory, to a proven model directory."""
