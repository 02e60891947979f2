"""Context stacks of many shapes, small; every one has its own test name."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.models.specs import small_spec
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec

CLASSES = 16
"""Of `small_spec`'s head."""
PLAIN = ContextStack(4, 8, 5, 3, 2, (1, 2), CLASSES)


def random_stack(seed: int, classes: int = CLASSES) -> ContextStack:
    """Any shape that a user may train, small enough for a test."""
    rng = np.random.default_rng(seed)

    def pick(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    pool = pick(1, 6)
    return ContextStack(
        pool=pool,
        block=pool * pick(1, 5),
        channels=pick(1, 9),
        filter_width=pick(1, 40),
        kernel=pick(2, 4),
        dilations=tuple(pick(1, 5) for _ in range(pick(1, 3))),
        classes=classes,
    )


EVERY: dict[str, ContextStack] = {
    "plain": PLAIN,
    "a frame a block": dataclasses.replace(PLAIN, block=4),
    "no filter": dataclasses.replace(PLAIN, filter_width=1),
    "a filter over a block": dataclasses.replace(PLAIN, filter_width=21),
    "no pooling": dataclasses.replace(PLAIN, pool=1),
    "kernel 3": dataclasses.replace(PLAIN, kernel=3, dilations=(3, 1)),
    "reaches over blocks": dataclasses.replace(PLAIN, dilations=(1, 2, 4)),
    **{f"random {seed}": random_stack(seed) for seed in range(6)},
}


def spec_with(stack: ContextStack) -> ModelSpec:
    """A model of classes, or of amplitudes, as the stack reads them."""
    head: Head = Softmax(stack.classes) if stack.classes else Gaussian()
    return small_spec(output=head, conditioning=(stack,))
