"""Held-back speech that travels in the checkpoint, so that parity needs no data folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from wn_train.data.audio import Utterance

EXCERPTS = 12
"""How many are kept."""
EXCERPT_SAMPLES = 8000
"""Each is cut at this length."""


def choose_excerpts(validation: Sequence[Utterance]) -> list[dict[str, Any]]:
    """The first part of `EXCERPTS` utterances spread evenly over the validation split."""
    stride = max(1, len(validation) // EXCERPTS)
    return [
        {
            "codes": torch.from_numpy(utterance.codes[:EXCERPT_SAMPLES].astype("int32")),
            "conditions": {k: v for k, v in utterance.recording.values.items() if v},
        }
        for utterance in validation[::stride][:EXCERPTS]
    ]
