"""Errors that say, each in its library's words, that no memory was to be had."""

from __future__ import annotations

_WORDS = (
    "without exception set",  # C code of a library that did not look at what malloc gave it
    "without setting an exception",
    "failed to map segment",  # the loader's
    "annot allocate memory",  # the system's: "Cannot …" and "cannot …"
    "can't allocate memory",  # PyTorch's
    "bad_alloc",  # C++'s
    "can't start new thread",  # its stack
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of a library means that memory was missing."""
    if isinstance(error, MemoryError):
        return True
    known = isinstance(error, (SystemError, ImportError, RuntimeError))
    return known and any(words in str(error) for words in _WORDS)
