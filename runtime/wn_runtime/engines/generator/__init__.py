"""generator.onnx: the loop and the draw inside the graph, for hosts that have only ONNX Runtime."""
