"""Proof that every engine is the model that was trained: against PyTorch's outputs."""
