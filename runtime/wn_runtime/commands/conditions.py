"""Conditions from a command line: `--speaker`, `--set NAME=VALUE`, `--tag NAME`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wn_runtime.conditioning.conditioner import Values
from wn_runtime.errors import WavestepError, listed, unknown
from wn_runtime.model.spec import ModelSpec


def given(speaker: str | None, settings: Sequence[str]) -> dict[str, Values]:
    """Conditions by name; a value with commas is one a voice.

    Raises WavestepError for what is not NAME=VALUE, and for a name given twice.
    """
    if speaker == "":
        raise WavestepError("--speaker is empty; name one, as in --speaker theo, or leave it out")
    conditions: dict[str, Values] = {}
    for setting in [*([] if speaker is None else [f"speaker={speaker}"]), *settings]:
        name, equals, value = setting.partition("=")
        if not equals or not value:
            raise WavestepError(f"--set {setting} is not NAME=VALUE, as in --set digit=7")
        if name in conditions:
            raise WavestepError(f"{name} is given twice; give it once (one value a voice: a,b)")
        conditions[name] = value.split(",") if "," in value else value
    return conditions


def left_out(spec: ModelSpec, conditions: Mapping[str, Values]) -> Iterator[str]:
    """A line for each condition that is not given: what then conditions the audio, and the choice.

    Such a condition adds nothing to the gates. A model that was trained with some of it left out
    (`condition_dropout`) has learnt what that sounds like.
    """
    for condition in spec.conditions:
        if condition.name not in conditions:
            option = {"tags": "--tag", "speaker": "--speaker"}.get(
                condition.kind if condition.kind == "tags" else condition.name,
                f"--set {condition.name}=",
            )
            yield (
                f"no {condition.name} given, so none is conditioned on; {option} takes: "
                f"{listed(condition.values)}"
            )


def tagged(
    spec: ModelSpec, tags: Sequence[str], conditions: Mapping[str, Values]
) -> dict[str, Values]:
    """The tags of all voices, by the condition of kind `tags` that has each.

    conditions: those given otherwise. Raises WavestepError for a tag that no condition has or
    several have, for one given twice or whose condition is given already, and where the model has
    no tags.
    """
    owners = {c.name: c.values for c in spec.conditions if c.kind == "tags"}
    every = [value for values in owners.values() for value in values]
    found: dict[str, frozenset[str]] = {}
    for tag in tags:
        names = [name for name, values in owners.items() if tag in values]
        if not owners:
            others = listed([condition.name for condition in spec.conditions])
            raise WavestepError(
                f"--tag {tag}: this model has no tags; its conditions, for --set, are: {others}"
            )
        if not names:
            raise WavestepError(unknown("tag", tag, every, "this model has"))
        if len(names) > 1:
            which = " and ".join(f"--set {name}={tag}" for name in names)
            raise WavestepError(f"tag {tag!r} is in {len(names)} conditions; say which: {which}")
        (name,) = names
        if name in conditions:
            raise WavestepError(f"{name} is given by --set and by --tag {tag}; give it by one")
        before = found.get(name, frozenset())
        if tag in before:
            raise WavestepError(f"--tag {tag} is given twice; give each tag once")
        found[name] = before | {tag}
    return dict(found)
