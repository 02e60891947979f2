"""Recordings to training batches."""
