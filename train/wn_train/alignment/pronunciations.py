"""Where pronunciations come from: the user's dictionary, or CMU's, which pocketsphinx brings."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

from wn_runtime import extras
from wn_runtime.errors import WavestepError
from wn_runtime.interrupts import Held
from wn_runtime.speech import dictionary
from wn_runtime.speech.dictionary import Dictionary

_MODEL = "model/en-us"
_DICTIONARY = f"{_MODEL}/cmudict-en-us.dict"
_ACOUSTIC_MODEL = f"{_MODEL}/en-us"


def load(path: Path | None = None) -> Dictionary:
    """The dictionary in a file; without one CMU's of North American English (BSD licence).

    Raises WavestepError for a broken file, or without pocketsphinx.
    """
    return dictionary.read(_within(_DICTIONARY) if path is None else path)


def acoustic_model() -> Path:
    """The folder of pocketsphinx's own model of English phones. Raises WavestepError without it."""
    return _within(_ACOUSTIC_MODEL)


def need() -> Any:
    """The module pocketsphinx. Raises WavestepError without it."""
    try:
        with Held():
            import pocketsphinx
    except ImportError as error:
        raise WavestepError(
            f"alignment needs pocketsphinx ({error}); {extras.install_features()}"
        ) from error
    return pocketsphinx


def _within(name: str) -> Path:
    path = Path(str(importlib.resources.files(need()).joinpath(name)))
    if not path.exists():
        raise WavestepError(
            f"{path} does not exist: this pocketsphinx came without its models; "
            f"{extras.install_features()} --force-reinstall"
        )
    return path
