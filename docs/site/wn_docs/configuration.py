"""The reference of a training configuration's keys, from the dataclasses that parse it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from wn_docs.commands import escaped
from wn_docs.fields import Field, default_of, fields, type_of
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.features.features import Features
from wn_runtime.heads.registry import HEADS
from wn_runtime.model.spec import ModelSpec
from wn_train.conditioning.config import ContextConfig, FramesConfig
from wn_train.config import PRESETS, Config, DataConfig, ModelConfig, TrainingConfig
from wn_train.speech.config import SpeechConfig

TABLES: dict[str, tuple[type, ...]] = {
    "": (Config,),
    "model": (ModelConfig, ModelSpec),
    "model.frames": (FramesConfig, LocalFrames),
    "model.context": (ContextConfig, ContextStack),
    "data": (DataConfig,),
    "training": (TrainingConfig,),
    "speech": (SpeechConfig,),
    "features": (Features,),
}
"""Table of the file to the class that it becomes, and where else its keys are explained."""


def page() -> str:
    """Markdown: a section a table, the presets beside the model's."""
    return "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    for table, classes in TABLES.items():
        cls = classes[0]
        yield from (f"## {f'`[{table}]`' if table else 'At the top'}", "")
        yield from (escaped(_first_paragraph(cls)), "")
        yield from _rows(keys(table))
        if table == "model":
            yield from _presets()
            yield from _heads()


def keys(table: str) -> list[Field]:
    """The keys of a table that hold values; what holds a table has a section of its own."""
    cls, *elsewhere = TABLES[table]
    return [field for field in fields(cls, *elsewhere) if not _is_table(table, field)]


def head_keys(kind: str) -> list[Field]:
    """The keys of a head's table beside its kind."""
    return list(fields(HEADS[kind]))


def _is_table(table: str, field: Field) -> bool:
    return f"{table}.{field.name}".lstrip(".") in TABLES or field.name == "output"


def _rows(found: list[Field]) -> Iterator[str]:
    yield from ("| key | type | default | |", "|---|---|---|---|")
    for field in found:
        words = field.words.replace("|", r"\|")
        yield f"| `{field.name}` | {type_of(field.type)} | {default_of(field.default)} | {words} |"
    yield ""


def _presets() -> Iterator[str]:
    yield from ("### Presets", "", "What `--preset` sets before the file is read:", "")
    standard = ModelConfig()
    changed = [
        field.name
        for field in dataclasses.fields(ModelConfig)
        if len({getattr(preset, field.name) for preset in PRESETS.values()}) > 1
    ]
    yield f"| preset | {' | '.join(f'`{name}`' for name in changed)} |"
    yield f"|---|{'---|' * len(changed)}"
    for name, preset in PRESETS.items():
        mark = " (the default)" if preset == standard else ""
        values = " | ".join(str(getattr(preset, key)) for key in changed)
        yield f"| `{name}`{mark} | {values} |"
    yield ""


def _heads() -> Iterator[str]:
    yield from ("### `[model.output]`", "", "The head. Its key `kind` says which; the others:", "")
    for kind, head in HEADS.items():
        yield from (f'`kind = "{kind}"`: {escaped(_first_paragraph(head))}', "")
        yield from _rows(head_keys(kind))


def _first_paragraph(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())
