"""Conditioners as parts of conditioner.onnx: one file a conditioner."""
