"""The C API of a model: its engine's source with a host around it, and its packed model file."""
