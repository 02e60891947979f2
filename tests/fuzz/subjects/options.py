"""Every option of every command, read from click: a new one is fuzzed without a change here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.case import Case, Edit
from tests.fuzz.commands import available, click_command
from tests.fuzz.hostile import INTEGERS, PATHS, REALS, TEXTS
from tests.fuzz.subjects.subject import Subject
from tests.fuzz.world import World

LAID_OUT = (
    Edit("place.fifo", "fifo"),
    Edit("place.fifo", "fifo.wav"),
    Edit("place.folder", "folder"),
    Edit("place.link", "link", {"to": "clip.wav"}),
    Edit("place.link", "loop", {"to": "loop"}),
    Edit("place.link", "dangling.wav", {"to": "nowhere.wav"}),
)
"""What `hostile.PATHS` name."""
BASE: dict[str, tuple[tuple[str, ...], ...]] = {
    "wn-run": (
        ("voice", "--seconds", "0.05"),
        ("speaking", "--speaker", "ann", "--text", "ta, at", "--engine", "onnx",
         "--seconds", "0.05"),
    ),
    "wn-inspect": (("voice",), ("speaking",)),
    "wn-targets": (("fit", "spec.json"),),
    "wn-parity": (("voice",),),
    "wn-export": (("voice",), ("speaking",)),
    "wn-import": (("theirs.pth", "--hparams", "hparams.json", "-o", "mine.pt"),),
    "wn-bench": (("voice", "--seconds", "0.01"),),
    "wn-features": (
        ("data", "-o", "framed", "--mel", "4", "--level"),
        ("spoken", "-o", "framed", "--level", "--hop", "16", "--text", "text",
         "--labels", "spoken/labels", "--dictionary", "spoken/words.txt"),
    ),
    "wn-train": (
        ("data", "-o", "run", "--config", "config.toml", "--steps", "1", "--threads", "1"),
    ),
}  # fmt: skip
"""Good command lines."""
INPUTS = (
    *("voice", "voice.pt", "vocoder", "frames.npy", "frames.raw", "spec.json", "clip.wav"),
    *("speaking", "words.txt", "data", "spoken", "config.toml"),
    *("theirs.pth", "hparams.json", "answers.npz", "meanvar.npz"),
)
GOOD: dict[str, tuple[str, ...]] = {
    "speaker": ("ann", "2", "-1", "ann,bob"),
    "settings": ("speaker=eve", "mood=calm+loud", "mood=", "=x", "seed=1", "temperature=2",
                 "self=1", "frames=1", "class=2", "speaker=²", "mood=٣", "spea\nker=1"),
    "text": ("ta at", "seven, 7!", "-", "text", "file", "speaker"),
    "pitch_range": ("71 800", "0 0", "800 71", "nan nan", "1e308 1e309", "1"),
    "level_db": ("-20", "0", "-60", "1"),
    "tags": ("calm", "loud", "lud", "0", "calm+loud"),
    "engine": ("onnx", "native", "tensorrt", "onnx-cuda", "onnx-cuda-loop", "cuda", "numpy"),
    "precision": ("fp32", "fp16", "bf16", "int8"),
    "frames": ("frames.npy", "-", "frames.npy,frames.npy", "frames.raw", "clip.wav"),
    "target": ("cpu", "orin-nano-8gb", "nano", "t4", "x86-64-v3", "cortex-a72"),
    "preset": ("tiny", "small"),
    "kind": ("r9y9", "nv-wavenet", "ibab"),
    "alignment": ("generation", "training"),
    "hparams": ("hparams.json",),
    "verify": ("answers.npz", "meanvar.npz"),
    "statistics": ("meanvar.npz", "answers.npz"),
    "name": ("nano", "t4"),
    "targets": ("nano", "t4"),
}  # fmt: skip
"""Words that mean something to an option, by its name in the source."""
TOO_LONG = {
    "seconds": ("1e-320", "0.01", "1e308", "1e18"),
    "steps": ("0", "-1", "1", "2", "1" + "0" * 40),
}
"""Where most large values are only a long wait: those that are not."""
SLOW = ("wn-parity", "wn-export", "wn-bench", "wn-import", "wn-train", "wn-doctor")


def options(world: World) -> SearchStrategy[Case]:
    """A good command line with one to three options over it, or its arguments replaced."""
    commands = [name for name in available() if name not in SLOW] * 3
    return st.sampled_from(commands + available()).flatmap(_lines)


def _lines(name: str) -> SearchStrategy[Case]:
    command = click_command(name)
    given = st.lists(st.one_of([_option(one) for one in _parameters(command)]), max_size=3)
    arguments = [one for one in _parameters(command) if isinstance(one, click.Argument)]
    bases = BASE.get(name, ((),))
    base = bases[0]
    lines = [st.builds(lambda one, words: [*one, *_flat(words)], st.sampled_from(bases), given)]
    if isinstance(command, click.Group):
        lines += [_group(command)]
    elif arguments:
        replaced = _value(arguments[0]).map(lambda word: [word, *base[1:]])
        lines += [replaced, st.tuples(replaced, given).map(lambda t: [*t[0], *_flat(t[1])])]
    else:
        lines += [st.lists(st.sampled_from(TEXTS), max_size=2)]
    return st.one_of(lines).map(
        lambda words: Case("options", name, tuple(words), _inputs(name), LAID_OUT)
    )


def _inputs(name: str) -> tuple[str, ...]:
    models = ("voice", "voice.pt", "vocoder", "speaking", "frames.npy", "frames.raw", "spec.json")
    of_data = ("data", "spoken", "config.toml")
    foreign = ("theirs.pth", "hparams.json", "answers.npz", "meanvar.npz")
    unused = {
        "wn-train": (*models, *foreign),
        "wn-features": (*models, *foreign),
        "wn-import": (*models, *of_data),
    }.get(name, (*of_data, *foreign))
    return tuple(each for each in INPUTS if each not in unused)


def _group(command: click.Group) -> SearchStrategy[list[str]]:
    """Its subcommands, each with its own arguments and options."""

    def of(name: str) -> SearchStrategy[list[str]]:
        sub = command.commands[name]
        arguments = [one for one in sub.params if isinstance(one, click.Argument)]
        values = st.tuples(*(_value(one) for one in arguments)).map(list)
        given = st.lists(st.one_of([_option(one) for one in _parameters(sub)]), max_size=2)
        return st.tuples(values, given).map(lambda t: [name, *t[0], *_flat(t[1])])

    return st.sampled_from(sorted(command.commands)).flatmap(of)


def _parameters(command: Any) -> list[click.Parameter]:
    return list(command.params)


def _option(parameter: click.Parameter) -> SearchStrategy[list[str]]:
    """The words of an option, or of an argument."""
    if isinstance(parameter, click.Argument):
        return _value(parameter).map(lambda word: [word])
    name = st.sampled_from(parameter.opts)
    if getattr(parameter, "is_flag", False):
        return name.map(lambda word: [word])
    if parameter.nargs > 1:
        return st.tuples(name, _value(parameter)).map(lambda t: [t[0], *t[1].split(" ")])
    joined = st.tuples(name, _value(parameter)).map(lambda t: [f"{t[0]}={t[1]}"])
    return st.tuples(name, _value(parameter)).map(list) | joined


def _value(parameter: click.Parameter) -> SearchStrategy[str]:
    name = parameter.name or ""
    good = GOOD.get(name, ())
    if name in TOO_LONG:
        return st.sampled_from((*TOO_LONG[name], "nan", "", "٣", "0", "-1"))
    if isinstance(parameter.type, (click.types.IntParamType, click.IntRange)):
        return st.sampled_from(INTEGERS)
    if isinstance(parameter.type, (click.types.FloatParamType, click.FloatRange)):
        return st.sampled_from(REALS)
    if isinstance(parameter.type, click.Path) or name in ("model", "json_"):
        return st.sampled_from(PATHS)
    words = st.sampled_from(TEXTS)
    return st.one_of(st.sampled_from(good), words) if good else words | st.sampled_from(PATHS)


def _flat(words: Sequence[Sequence[str]]) -> list[str]:
    return [word for each in words for word in each]


SUBJECTS = (Subject("options", options, share=5, brief=4),)
