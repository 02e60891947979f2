"""What a model's output means: one file a head, in each language that needs it."""
