"""Known devices, what a model will do on each, and what each asks of an export."""
