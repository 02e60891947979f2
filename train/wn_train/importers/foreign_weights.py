"""The tensors of another project's model: taken by name, of the shape that its settings ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError

Array = NDArray[np.float64]
ANY = -1
"""A size that the settings do not say."""
_NORMED = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
"""Length and direction of a weight under weight norm, as PyTorch has named them."""


class ForeignWeights:
    """The tensors of one file, each read when it is taken."""

    def __init__(
        self,
        tensors: Mapping[str, Any],
        read: Callable[[Any], Array],
        where: str,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """tensors: by name, each with a `shape`; attributes: what modules keep beside them."""
        self._tensors, self._read, self.where = tensors, read, where
        self.attributes = attributes or {}
        self._taken: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all tensors."""
        return tuple(self._tensors)

    def has(self, layer: str) -> bool:
        """Whether there is such a layer's weight, under weight norm or not."""
        ends = (".weight", *(direction for _, direction in _NORMED))
        return any(f"{layer}{end}" in self._tensors for end in ends)

    def shape(self, layer: str) -> tuple[int, ...]:
        """Of a layer's weight. Raises WavestepError where it is missing."""
        for end in (".weight", *(direction for _, direction in _NORMED)):
            if f"{layer}{end}" in self._tensors:
                return tuple(self._tensors[f"{layer}{end}"].shape)
        raise self._missing(f"{layer}.weight")

    def count(self, form: str) -> int:
        """How many of layers called 0, 1, … there are; form: `conv_layers.{}.conv`."""
        number = 0
        while self.has(form.format(number)):
            number += 1
        return number

    def weight(self, layer: str, *shape: int) -> Array:
        """A layer's weight, weight norm folded in. Raises WavestepError as `tensor` does."""
        for length, direction in _NORMED:
            if f"{layer}{direction}" in self._tensors:
                v = self.tensor(f"{layer}{direction}", *shape)
                g = self.tensor(f"{layer}{length}", v.shape[0], *[1] * (v.ndim - 1))
                norm = np.sqrt((v**2).sum(axis=tuple(range(1, v.ndim)), keepdims=True))
                if not norm.all():
                    raise WavestepError(f"{self.where}: {layer}{direction} has a direction of zero")
                folded: Array = g * v / norm
                return folded
        return self.tensor(f"{layer}.weight", *shape)

    def bias(self, layer: str, size: int) -> Array:
        """A layer's bias; zeros where it has none."""
        name = f"{layer}.bias"
        return self.tensor(name, size) if name in self._tensors else np.zeros(size)

    def tensor(self, name: str, *shape: int) -> Array:
        """A tensor as float64.

        Raises WavestepError where it is missing, not finite, or not of the shape, in which ANY is
        any size.
        """
        if name not in self._tensors:
            raise self._missing(name)
        found = tuple(self._tensors[name].shape)
        if len(found) != len(shape) or any(
            a not in (b, ANY) for a, b in zip(shape, found, strict=True)
        ):
            wanted = ", ".join("any" if n == ANY else str(n) for n in shape)
            raise WavestepError(
                f"{self.where}: {name} is {list(found)}, the settings make it [{wanted}]; give "
                "those it was trained with"
            )
        self._taken.add(name)
        array = self._read(self._tensors[name])
        if not np.isfinite(array).all():
            raise WavestepError(f"{self.where}: {name} holds NaN or infinity")
        return array

    def finish(self) -> None:
        """Raise WavestepError where a tensor was not taken: then it is another model."""
        left = sorted(self._tensors.keys() - self._taken)
        if left:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            raise WavestepError(
                f"{self.where}: {left[0]!r:.80}{more} belongs to no model of these settings; give "
                "those it was trained with"
            )

    def _missing(self, name: str) -> WavestepError:
        return WavestepError(
            f"{self.where}: {name} is missing; it is not such a model, not all of it, or has other "
            "settings"
        )
