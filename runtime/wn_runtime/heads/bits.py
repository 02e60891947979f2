"""Bits that compare from head to head: of the 16-bit sample, beside a head's own.

A class of a categorical head stands for several 16-bit samples, each as likely as the other: to
name one of n takes log2(n) bits more. For samples on the 16-bit grid the two are the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from wn_runtime.heads.head import Head, Samples


def more_for_16(head: Head, clips: Iterable[Samples]) -> float:
    """What is added to the mean bits of these clips' samples to have those of 16-bit samples."""
    total, count = 0.0, 0
    for samples in clips:
        total += float(np.log2(head.levels(samples)).sum())
        count += samples.size
    return total / max(count, 1)


def in_words(bits: float, more: float) -> str:
    """`3.6549 bits per sample (8.0970 of 16 bits)`; once where both are the same."""
    beside = f" ({bits + more:.4f} of 16 bits)" if more else ""
    return f"{bits:.4f} bits per sample{beside}"
