"""The CUDA engine: one fused kernel that makes a block of samples in one launch."""
