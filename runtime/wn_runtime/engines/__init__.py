"""What runs a model: one folder an engine, and how one is chosen."""
