"""Checkpoints: what is in them, written atomically, read without running any code."""

from wn_train.checkpoint.content import FORMAT, Checkpoint, Speech, release
from wn_train.checkpoint.reading import load
from wn_train.checkpoint.writing import save

__all__ = ["FORMAT", "Checkpoint", "Speech", "load", "release", "save"]
