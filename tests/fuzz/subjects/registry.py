"""All subjects, by name."""

from __future__ import annotations

from tests.fuzz.commands import here
from tests.fuzz.subjects import (
    cache,
    checkpoint,
    config,
    content,
    frames,
    importing,
    labelled,
    metadata,
    model,
    options,
    spec,
    surroundings,
    tags,
    voices,
)
from tests.fuzz.subjects.subject import Subject

_MODULES = (
    options,
    surroundings,
    model,
    content,
    checkpoint,
    config,
    metadata,
    spec,
    cache,
    frames,
    importing,
    voices,
    labelled,
    tags,
)
SUBJECTS: dict[str, Subject] = {
    subject.name: subject for module in _MODULES for subject in module.SUBJECTS
}


def present() -> dict[str, Subject]:
    """Those whose packages are installed."""
    return {name: subject for name, subject in SUBJECTS.items() if here(*subject.needs)}
