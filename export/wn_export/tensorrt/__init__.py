"""Step graphs to TensorRT plans."""
