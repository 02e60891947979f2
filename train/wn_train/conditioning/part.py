"""What every conditioner of a model is in PyTorch: its whole pass; the runtime streams it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from wn_runtime.conditioning.part import Frames


class ConditionerModule(nn.Module):
    """Makes the gates' bias of a whole sequence; its canonical weights stream in the runtime."""

    def forward(
        self, values: Mapping[str, Tensor], frames: Tensor | None, samples: Tensor, /
    ) -> Tensor:
        """The bias (L, B, N, G) of samples (B, T), each of the N rows held for T/N of them.

        values: categorical (B,) int64, -1 for none; tags (B, n) float32. frames (B, F, C): those
        of the samples and the lookahead beyond, from the sequence's first sample on.
        """
        raise NotImplementedError

    def fit(self, clips: Sequence[Frames]) -> None:
        """Take what it keeps of the training split's frames, (F, C) a clip, before training."""

    def canonical(self) -> dict[str, Tensor]:
        """Its weights by the names of `ConditionerSpec.shapes`."""
        raise NotImplementedError
