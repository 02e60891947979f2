"""The WaveNet in PyTorch: forward and step side by side."""
