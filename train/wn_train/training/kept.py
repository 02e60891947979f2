"""config.toml in a run's folder: the whole configuration that the run is trained with.

Written with the first checkpoint, read again by --resume, and free to be edited in between: what
may change on the way (steps, learning rate, validate_every, …) is taken from it. Which network it
is, last.pt alone says, and a configuration of another one is refused. Where the file is missing,
last.pt has the same configuration.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wn_runtime import atomic
from wn_runtime.errors import WavestepError
from wn_runtime.model import strict
from wn_train import checkpoint, config, toml
from wn_train.config import Config
from wn_train.run_files import LAST

CONFIG = "config.toml"
HEAD = (
    "What this run is trained with, whole: wn-train DATA -o NEW --config THIS makes it again.",
    "--resume reads it: what may change on the way, as steps or learning_rate, may be edited here.",
)


def read(run: Path, overrides: Mapping[str, Any]) -> Config | None:
    """The configuration of a run, with single keys (`training.steps`) over it; None: there is none.

    Raises WavestepError for a file that is broken.
    """
    path, last = run / CONFIG, run / LAST
    if os.path.lexists(path):
        try:
            return config.load(config.DEFAULT, path, dict(overrides))
        except WavestepError as error:
            raise WavestepError(f"{error} (without this file, {LAST}'s is taken)") from error
    if not last.exists():
        return None
    before = checkpoint.load(last)
    data = before.config.get("data")
    if before.spec.conditions and isinstance(data, dict) and data.get("conditions") == []:
        data["conditions"] = None  # what every column was called once
    return config.of_run(before.config, overrides, str(last))


def write(run: Path, settings: Config, say: Callable[[str], None]) -> None:
    """Write config.toml, unless the file there says the same, in whoever's words.

    A disk that refuses costs a word and no more: last.pt has it, too.
    """
    path = run / CONFIG
    try:
        if config.load(config.DEFAULT, path) == settings:
            return
    except WavestepError:
        pass  # missing, or broken
    try:
        atomic.write(path, toml.text(strict.plain(settings), HEAD))
    except OSError as error:
        say(f"{path} cannot be written: {error.strerror}; {LAST} has the configuration, too")
