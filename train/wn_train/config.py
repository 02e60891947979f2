"""The configuration of a training run: presets, a TOML file over them, and strict checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.features.features import Features
from wn_runtime.heads.head import Head
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model import names, ranges, strict
from wn_runtime.model.manifest import check_temperature
from wn_runtime.model.spec import MOST_DILATION, MOST_LAYERS, ModelSpec
from wn_train import toml
from wn_train.conditioning.config import ContextConfig, FramesConfig
from wn_train.speech.config import SpeechConfig


@dataclass(frozen=True)
class ModelConfig:
    """The network's shape; rate and conditions come with the data. See `wn_runtime.model.spec`."""

    cycle: int = 512
    """Dilations 1, 2, 4, … up to this one, repeated; ignored where `dilations` is given."""
    layers: int = 20
    """L, where `dilations` is not given."""
    dilations: tuple[int, ...] = ()
    """One a layer, instead of `cycle` and `layers`."""
    kernel: int = 2
    input_kernel: int = 1
    residual_channels: int = 32
    gate_channels: int = 0
    """G; 0 means 2R."""
    skip_channels: int = 128
    head_channels: int = 256
    output: Head = field(default_factory=Softmax)
    """The head; its key `kind` names it."""
    residual_scale: float = 1.0
    weight_norm: bool = False
    """Each kernel as a direction and a length, learned apart; folded into one at export."""
    frames: FramesConfig | None = None
    """Local conditioning, by the files of metadata.csv's column `frames`; None: none."""
    context: ContextConfig | None = None
    """A context stack over a long history; None: none."""

    def __post_init__(self) -> None:
        ranges.check(self, {"cycle": (1, MOST_DILATION), "layers": (1, MOST_LAYERS)})
        if self.cycle & (self.cycle - 1):
            raise ValueError(f"cycle is {self.cycle}; it must be a power of two")
        self.spec(sample_rate=1)  # which checks the rest

    def spec(self, sample_rate: int, conditioning: tuple[ConditionerSpec, ...] = ()) -> ModelSpec:
        """The model of this shape, with the data's rate in Hz and its conditions.

        Raises ValueError for what no model can be.
        """
        return ModelSpec(
            sample_rate=sample_rate,
            dilations=self.all_dilations,
            kernel=self.kernel,
            input_kernel=self.input_kernel,
            residual_channels=self.residual_channels,
            gate_channels=self.gate_channels or 2 * self.residual_channels,
            skip_channels=self.skip_channels,
            head_channels=self.head_channels,
            residual_scale=self.residual_scale,
            output=self.output,
            conditioning=conditioning,
        )

    @property
    def all_dilations(self) -> tuple[int, ...]:
        """One dilation for each layer."""
        period = self.cycle.bit_length()
        return self.dilations or tuple(1 << (i % period) for i in range(self.layers))


@dataclass(frozen=True)
class DataConfig:
    """What is read from the data folder, and how it is cut."""

    conditions: tuple[str, ...] | None = None
    """Columns of metadata.csv to condition on; left out: every column but file, split, frames
    and gain; []: none. A column whose values hold `+` (`calm+loud`) is a multi-hot one."""
    sample_rate: int = 0
    """Hz; files of other rates are resampled. 0: the rate that most files have."""
    chunk_seconds: float = 0.5
    """Samples that count in the loss of one chunk from the middle of a file."""
    tail_seconds: float = 0.0
    """Digital silence appended to every training file, so that a model learns to stop."""
    long_tail_seconds: float = 0.0
    """The same for every tenth file: past the receptive field, a model learns to stay silent."""
    condition_dropout: float = 0.0
    """Probability that a condition of a chunk is left out (classifier-free training)."""

    def __post_init__(self) -> None:
        ranges.check(
            self,
            {
                "sample_rate": (0, 1_000_000),
                "chunk_seconds": (0.001, 3600),
                "tail_seconds": (0, 3600),
                "long_tail_seconds": (0, 3600),
                "condition_dropout": (0, 1),
            },
        )
        given = self.conditions or ()
        if len(set(given)) != len(given):
            raise ValueError(f"conditions has a column twice: {', '.join(given)}")


@dataclass(frozen=True)
class TrainingConfig:
    """The optimisation."""

    steps: int = 20_000
    """Updates of the weights, one a batch."""
    batch_samples: int = 16_384
    """Upper limit of samples in a batch, padding and receptive fields included, all processes
    together; what only conditioning remembers comes on top."""
    accumulate: int = 1
    """Parts that a batch is worked through in, to save memory; the loss is the same."""
    learning_rate: float = 2e-3
    """The peak, of AdamW, after the warm-up and before the cosine."""
    weight_decay: float = 0.01
    """Of AdamW; biases and conditions are left alone."""
    warmup_steps: int | None = None
    """Steps in which the rate rises to its peak; left out: a fortieth of `steps`."""
    final_rate: float = 0.02
    """Learning rate at the end of the cosine, as a fraction of `learning_rate`."""
    clip_norm: float = 1.0
    """The longest that the gradient of all weights together may be; longer ones are shortened."""
    ema_decay: float = 0.999
    """Of the averaged weights, which are what is exported: the share of the old at each step."""
    own_history: float = 0.0
    """Share of the chunks whose past, as the network hears it, ends in what it goes on with itself,
    for up to a quarter of a second. So it learns to come back from errors of its own."""
    own_history_every: int = 500
    """Steps after which that is made anew, with the weights of then; there is none before."""
    precision: str = "auto"
    """fp32, bf16 (autocast; fp32 on a CPU that would only imitate it), or auto: bf16 where there is
    a GPU that has it, else fp32."""
    compile: bool = False
    """torch.compile: minutes to start, then faster."""
    seed: int = 0
    """Of the first weights, the order of the data and what is left out."""
    init: str = ""
    """A checkpoint to begin with, whose weights are taken where names and shapes agree."""
    init_network: bool = False
    """Whether the network is that of `init`, head and conditioning included; [model] says nothing
    then but `weight_norm`, which is its as well."""
    validate_every: int = 1000
    """Steps between validations; each writes a checkpoint too."""
    sample_every: int = 5000
    """Steps between audio samples in TensorBoard; 0: none."""
    sample_seconds: float = 1.0
    """Length of each of them."""

    def __post_init__(self) -> None:
        if self.precision not in ("auto", "fp32", "bf16"):
            raise ValueError(unknown("precision", self.precision, ["auto", "fp32", "bf16"]))
        ranges.check(
            self,
            {
                **dict.fromkeys(("steps", "batch_samples", "validate_every"), (1, 10**9)),
                "own_history": (0, 1),
                "own_history_every": (1, 10**9),
                "sample_every": (0, 10**9),
                "accumulate": (1, 1024),
                "learning_rate": (1e-9, 10),
                "weight_decay": (0, 10),
                "final_rate": (0, 1),
                "clip_norm": (1e-9, 1e9),
                "ema_decay": (0, 0.9999999),
                "seed": (0, 2**63 - 1),
                "sample_seconds": (0.001, 60),
            },
        )
        if "\0" in self.init:
            raise ValueError("init is no path")
        if self.init_network and not self.init:
            raise ValueError("init_network is true, and init is no checkpoint")
        if self.warmup_steps is not None:
            ranges.check(self, {"warmup_steps": (0, 10**9)})

    @property
    def warmup(self) -> int:
        """Steps in which the rate rises."""
        return self.steps // 40 if self.warmup_steps is None else self.warmup_steps


@dataclass(frozen=True)
class Config:
    """Everything a run depends on but the data; kept whole in every checkpoint."""

    name: str = ""
    """The model's name; empty: the run directory's."""
    attribution: str = ""
    """Sources and licence of the training data; travels with the checkpoint and the export."""
    temperature: float = 1.0
    """At which the model is heard where nobody says another: it goes into the manifest."""
    features: Features | None = None
    """What the frames hold, as wn-features extracts it; taken from the data's features.json."""
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    speech: SpeechConfig | None = None
    """The front end that makes frames of a text; None: none."""

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        if self.name:
            names.check(self.name, "name")


DEFAULT = "small"
PRESETS: dict[str, ModelConfig] = {
    "tiny": ModelConfig(
        cycle=64, layers=7, residual_channels=16, skip_channels=32, head_channels=64
    ),
    "small": ModelConfig(),
    "medium": ModelConfig(residual_channels=64),
    "paper": ModelConfig(layers=30, residual_channels=64, skip_channels=256),
}


def load(preset: str, path: Path | None, overrides: dict[str, Any] | None = None) -> Config:
    """A preset, with a TOML file over it, with single keys (`training.steps`) over that.

    Raises WavestepError for an unknown preset, an unreadable file, or an unknown or wrong key.
    """
    if preset not in PRESETS:
        raise WavestepError(unknown("preset", preset, PRESETS))
    data: dict[str, Any] = strict.plain(Config(model=PRESETS[preset]))
    where = f"preset {preset}"
    if path is not None:
        where = str(path)
        for key, value in toml.read(path).items():
            if isinstance(data.get(key), dict) and isinstance(value, dict):
                data[key].update(value)  # unknown keys are found by the strict parse below
            else:
                data[key] = value
    return _over(data, overrides or {}, where)


def of_run(data: Mapping[str, Any], overrides: Mapping[str, Any], where: str) -> Config:
    """What a checkpoint keeps of its run's configuration, with single keys over it.

    Raises WavestepError for an unknown or wrong key.
    """
    kept = strict.parse(Config, dict(data), f"{where}: config")
    return _over(strict.plain(kept), overrides, where)


def _over(data: dict[str, Any], overrides: Mapping[str, Any], where: str) -> Config:
    for dotted, value in overrides.items():
        section, _, key = dotted.rpartition(".")
        (data[section] if section else data)[key] = value
    return strict.parse(Config, data, where)


def with_name(config: Config, name: str) -> Config:
    """The configuration with a name where it has none. Raises WavestepError for what is none."""
    try:
        return (
            config if config.name else dataclasses.replace(config, name=names.check(name, "name"))
        )
    except ValueError as error:
        raise WavestepError(
            f"the model is called as its folder is, and {error}; set name in a configuration, or "
            "give another -o"
        ) from error
