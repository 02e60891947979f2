"""ONNX Runtime on the step graph: the portable engine."""
