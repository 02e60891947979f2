"""generator.onnx: the step in a loop, with its delay lines, its draw and its audio."""
