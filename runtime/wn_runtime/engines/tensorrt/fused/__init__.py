"""Plans whose one node is the cuda engine's kernel, as a TensorRT plugin."""
