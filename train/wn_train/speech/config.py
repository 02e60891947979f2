"""How a configuration asks for a front end: its table [speech]."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SpeechConfig:
    """The front end that is trained before its WaveNet, on the phones of the same recordings."""

    speaker: str = "speaker"
    """The condition that says who speaks, where the model has it."""
    gaps: bool = False
    """Whether words were recorded one by one, so that a short silence stands between any two."""
    channels: int = 96
    layers: int = 3
    width: int = 5
    steps: int = 1500
    """Of each of its networks."""
    learning_rate: float = 2e-3
    dropout: float = 0.2

    def __post_init__(self) -> None:
        for name, (low, high) in {
            "channels": (1, 2048),
            "layers": (1, 16),
            "width": (1, 63),
            "steps": (1, 10**6),
            "learning_rate": (1e-9, 10),
            "dropout": (0, 0.95),
        }.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; it must be {low:g} to {high:g}")
        if self.width % 2 == 0:
            raise ValueError(f"width is {self.width}; it must be odd")
