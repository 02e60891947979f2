"""What runs on the device: open a model, stream it, write the sound."""
