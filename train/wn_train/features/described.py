"""What a folder's features.json says of its frames, and a configuration that goes with them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.model import json_file, strict
from wn_train.config import Config

FEATURES = "features.json"


def read(folder: Path) -> Features | None:
    """None where there is no such file. Raises WavestepError for a broken one."""
    path = folder / FEATURES
    try:
        data: Any = json_file.load(path)
    except (FileNotFoundError, NotADirectoryError):  # what is no folder, corpus.read says
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WavestepError(f"{path} cannot be read: {reason}; make it again") from error
    columns = data.pop("columns", None) if isinstance(data, dict) else None
    features = strict.parse(Features, data, str(path))
    if columns != list(features.names):
        raise WavestepError(f"{path}: columns are not what it describes; make it again")
    return features


def as_plain(features: Features) -> dict[str, Any]:
    """For features.json, a checkpoint and a manifest."""
    return {**strict.plain(features), "columns": list(features.names)}


def applied(settings: Config, features: Features | None) -> Config:
    """The configuration with the frames' rate, hop and width, and what they are.

    Raises WavestepError where it asks for others, or leaves open what nothing tells.
    """
    local = settings.model.frames
    if local is None:
        return settings
    if features is None:
        if not local.hop:
            raise WavestepError(
                f"model.frames: hop is not given, and the data has no {FEATURES} to tell it"
            )
        return settings
    given = {
        "hop": (local.hop, features.hop),
        "channels": (local.channels, len(features.names)),
        "sample_rate": (settings.data.sample_rate, features.sample_rate),
    }
    for name, (asked, has) in given.items():
        if asked not in (0, has):
            raise WavestepError(
                f"the frames' {name} is {has}, says {FEATURES}, and the configuration's {asked}; "
                "leave it out, or make the frames again"
            )
    if settings.features not in (None, features):
        raise WavestepError(
            f"the frames are not what the configuration's [features] says, by {FEATURES}; "
            "leave that table out, or make the frames again"
        )
    try:
        frames = dataclasses.replace(local, hop=features.hop, channels=len(features.names))
    except ValueError as error:  # a hold that does not divide this hop
        raise WavestepError(f"model.frames: with these frames {error}") from error
    return dataclasses.replace(
        settings,
        model=dataclasses.replace(settings.model, frames=frames),
        data=dataclasses.replace(settings.data, sample_rate=features.sample_rate),
        features=features,
    )
