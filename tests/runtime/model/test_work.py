"""What a sample costs is counted from the shapes."""

from __future__ import annotations

import math

from tests.models.specs import small_spec
from wn_runtime.model import weights
from wn_runtime.model.work import Work


def test_products_are_the_weights_used_once_a_sample() -> None:
    spec = small_spec((1, 2), kernel=3, residual=5, gate=6, skip=7, head=8, classes=9)
    numbers = {name: math.prod(shape) for name, shape in weights.shapes(spec).items()}
    products = [name for name in numbers if name.endswith("weight") and name != "input.weight"]
    unused = 3 * 5  # the last layer's residual product, (G/2, R)
    one_row_of_input = 5
    assert Work.of(spec).macs == sum(numbers[n] for n in products) - unused + one_row_of_input
    assert Work.of(spec).state == 2 * 3 * 5
