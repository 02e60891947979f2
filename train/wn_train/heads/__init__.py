"""What a head costs in training: one file a head, with its negative log-likelihood in PyTorch."""
