"""wn-targets, which with training beside it reads the configuration of a run to come, too."""

from __future__ import annotations

from pathlib import Path

from wn_runtime import installation
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_targets import subject
from wn_targets.commands.targets import main
from wn_targets.presets import RATE

__all__ = ["main"]


def _of_configuration(path: Path) -> tuple[ModelSpec, bool]:
    """The shape that `wn-train --config` would train; at RATE where it leaves that to the data."""
    try:
        from wn_train import config
    except ImportError as error:  # Python 3.10 has no TOML of its own
        raise WavestepError(f"{path}: TOML needs tomli; {installation.pip('tomli')}") from error
    settings = config.load(config.DEFAULT, path)
    if settings.training.init_network:
        raise WavestepError(
            f"{path} takes its network from {settings.training.init}; run wn-export on that, and "
            "give the directory it writes"
        )
    rate = settings.data.sample_rate
    return settings.model.spec(rate or RATE), not rate


subject.READERS[".toml"] = _of_configuration

if __name__ == "__main__":
    main()
