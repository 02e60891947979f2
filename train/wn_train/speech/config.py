"""How a configuration asks for a front end: its table [speech]."""

from __future__ import annotations

from dataclasses import dataclass

from wn_runtime.speech.spec import check_sizes


@dataclass(frozen=True)
class SpeechConfig:
    """The front end that is trained before its WaveNet, on the phones of the same recordings."""

    speaker: str = "speaker"
    """The condition that says who speaks; left out: that of this name, where the model has it."""
    gaps: bool = False
    """Whether words were recorded one by one, so that a short silence stands between any two."""
    channels: int = 96
    """Of the hidden layers of its networks."""
    layers: int = 3
    """Convolutions of each of its networks."""
    width: int = 5
    """Taps of each of them: phones, or frames."""
    steps: int = 1500
    """Of each of its networks."""
    learning_rate: float = 2e-3
    """The peak."""
    dropout: float = 0.2
    """Share of the hidden numbers that a step leaves out."""

    def __post_init__(self) -> None:
        check_sizes(self.channels, self.layers, self.width)
        for name, (low, high) in {
            "steps": (1, 10**6),
            "learning_rate": (1e-9, 10),
            "dropout": (0, 0.95),
        }.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}; it must be {low:g} to {high:g}")
