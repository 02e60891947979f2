"""What conditions the gates, in PyTorch: one file a conditioner."""
