"""ONNX graphs, straight from a spec and its canonical weights."""
