"""What a frame tells of the phones: which one, its neighbours, how far into it, how long it is.

    phones      sil      s        EH    …         each lasts a whole number of frames
    frames      |..|..|..|..|..|..|..|..|..|..|
    columns     one-hot of the phone, of the one before, of the one after; four of its time

Beyond both ends there is silence.

(Zen et al., 2013, "Statistical parametric speech synthesis using deep neural networks", section 3.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError, unknown
from wn_runtime.speech.labels import SILENCE

TIMES = ("phone position", "ln phone frame", "ln phone frames left", "ln phone frames")
"""Where in its phone a frame's middle is, 0 to 1; ln of its number from 1, from either end; ln of
the phone's frames."""


def names(phones: Sequence[str]) -> tuple[str, ...]:
    """Of the columns of an inventory of phones."""
    places = ("phone", "phone before", "phone after")
    return tuple(f"{place} {phone}" for place in places for phone in phones) + TIMES


def columns(
    phones: Sequence[str], frames: Sequence[int] | NDArray[np.int64], inventory: Sequence[str]
) -> NDArray[np.float32]:
    """Phones and how many frames each lasts to (sum of frames, 3P + 4).

    Raises WavestepError for a phone outside the inventory.
    """
    number = {phone: i for i, phone in enumerate(inventory)}
    for phone in phones:
        if phone not in number:
            raise WavestepError(unknown("phone", phone, inventory, "this voice has"))
    indices = np.array([number[phone] for phone in (SILENCE, *phones, SILENCE)])
    each = np.asarray(frames, np.int64)
    one_hot = np.eye(len(inventory), dtype=np.float32)
    around = np.concatenate(
        [one_hot[indices[1:-1]], one_hot[indices[:-2]], one_hot[indices[2:]]], 1
    )
    into = np.concatenate([np.arange(n) for n in each]) if len(each) else np.empty(0)
    length = np.repeat(each, each)
    times = np.stack(
        [(into + 0.5) / length, np.log1p(into), np.log(length - into), np.log(length)], axis=1
    )
    return np.concatenate([np.repeat(around, each, axis=0), times.astype(np.float32)], axis=1)


def phones_in(
    frames: NDArray[np.float32], inventory: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The inverse: `columns` (F, 3P + 4) to the phones and how many frames each lasts.

    Raises WavestepError for columns that are none of whole phones.
    """
    starts = np.flatnonzero(frames[:, len(inventory) * 3 + 1] == 0)
    phones = tuple(inventory[i] for i in frames[starts, : len(inventory)].argmax(axis=1))
    lengths = np.diff(np.append(starts, len(frames)))
    if (
        not len(starts)
        or starts[0]
        or not np.array_equal(columns(phones, lengths, inventory), frames)
    ):
        raise WavestepError("the frames' columns of phones are not those of whole phones")
    return phones, lengths


def whole_frames(
    ends: Sequence[float] | NDArray[np.float64], hop_s: float, total: int
) -> NDArray[np.int64]:
    """Where phones end, in seconds, to how many of `total` frames each lasts: one at least.

    Raises WavestepError where there are more phones than frames.
    """
    count = len(ends)
    if not 1 <= count <= total:
        raise WavestepError(f"{count} phones do not fit into {total} frames")
    edges = np.rint(np.asarray(ends) / hop_s).astype(np.int64)
    edges[-1] = total
    order = np.arange(count)
    edges = np.maximum.accumulate(np.maximum(edges - order, 1)) + order
    edges = np.minimum(edges, total - order[::-1])
    return np.diff(np.concatenate([[0], edges]))
