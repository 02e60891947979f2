"""The native engine's C source, its compiler and cache, and the packing of its weights."""
