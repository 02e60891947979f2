"""The device-resident loop on an NVIDIA GPU, and our step kernel in it."""
