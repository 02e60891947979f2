"""What wn-inspect shows of a model directory: the model and its files; nothing of it is run."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wn_runtime.commands import next_step, say
from wn_runtime.commands.spec_view import condition_lines, context_lines, frame_lines, spec_lines
from wn_runtime.commands.table import aligned, titled
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines import trust
from wn_runtime.engines.registry import ENGINES
from wn_runtime.errors import WavestepError, listed
from wn_runtime.model import manifest as manifests
from wn_runtime.model import strict
from wn_runtime.model.inspection import EXTRA, Inspection, inspect, state_bytes
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import REFERENCE, WEIGHTS, Manifest
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import StateArray
from wn_runtime.speech import dictionary


def show(path: Path, json_: bool) -> int:
    """Print what is there; the exit code. Raises WavestepError for what is no model's."""
    found = inspect(path)
    if json_:
        say.as_json(_as_json(found))
    else:
        say.table(_text(found))
        say.line("")
        say.line(_next(found, path))
    return 0 if found.sound else 1


def _next(found: Inspection, path: Path) -> str:
    """Run what is proven, prove what is not, mend what is not whole."""
    manifest, directory = found.manifest, found.directory
    if not found.sound:
        broken = {file.name for file in found.files if file.status not in ("ok", EXTRA)}
        if broken & {WEIGHTS, REFERENCE}:
            return next_step.line("wn-export", "CKPT", "-o", directory)
        return next_step.line("wn-export", directory)  # from its weights
    if not _proven(manifest) and REFERENCE in manifest.files:
        return next_step.line("wn-parity", directory)
    named = found.file is not None and bool(found.artifacts)
    return next_step.to_run(path if named else directory, manifest)


def _proven(manifest: Manifest) -> bool:
    """Whether all passed that must: lower precisions of what is made from the weights need not."""
    must = [
        row.passed
        for row in manifest.parity
        if row.precision == "fp32" or row.engine not in ENGINES or ENGINES[row.engine].artifact
    ]
    return bool(must) and all(must) and all(row.passed for row in manifest.conditioner_parity)


def _text(found: Inspection) -> str:
    manifest = found.manifest
    sections = [
        ("model", [f"{manifest.name}  ({found.directory}, format {manifest.format})"]),
        ("spec", list(spec_lines(manifest.spec))),
        ("conditions", list(condition_lines(manifest.spec))),
        ("frames", list(frame_lines(manifest.spec))),
        ("context", list(context_lines(manifest.spec))),
        ("state", list(_state(manifest.spec))),
        ("speech", list(_speech(found))),
        ("source", list(_pairs(_without_columns(manifest.source)))),
        ("engines", _engines(found)),
        ("parity", _parity(manifest)),
        ("files", _files(found)),
        ("code", _code(found)),
        ("written by", [", ".join(f"{k} {v}" for k, v in manifest.versions.items())]),
    ]
    return aligned(titled(sections))


def _speech(found: Inspection) -> Iterable[str]:
    """What a voice can say, and who; nothing for a model that does not speak."""
    speech = found.manifest.speech
    if found.manifest.temperature != 1:
        yield f"temperature {found.manifest.temperature:g}, where none is given"
    if speech is None:
        return
    phones = speech.features.phones
    yield f"{len(phones)} phones: {' '.join(phones)}"
    # A file that is missing or broken is told of further down.
    with contextlib.suppress(WavestepError):
        words = list(dictionary.read(found.directory / manifests.DICTIONARY).pronunciations)
        yield f"{len(words)} words: {listed(words)}"


def _state(spec: ModelSpec) -> Iterable[str]:
    for name, array in layout(spec).items():
        yield f"{name} {_shape(array)} {array.dtype}, oldest first"
    yield f"{state_bytes(spec):,} bytes a stream"


def _without_columns(source: Mapping[str, Any]) -> dict[str, Any]:
    """What the frames hold, without the name of each of a hundred columns."""
    features = source.get("features")
    if not isinstance(features, Mapping):
        return dict(source)
    return {**source, "features": {k: v for k, v in features.items() if k != "columns"}}


def _pairs(values: Mapping[str, Any]) -> Iterable[str]:
    for key, value in values.items():
        if isinstance(value, float):
            shown = f"{value:.5g}"
        else:
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"{key.replace('_', ' ')}: {shown}"


def _engines(found: Inspection) -> list[str]:
    lines = []
    if found.artifacts:
        rows = [["file", "engine", "precision", "batch"]]
        rows += [[a.file, a.engine, a.precision, str(a.batch)] for a in found.artifacts]
        lines += aligned(rows, right=[3]).splitlines()
    for artifact in found.artifacts:
        if artifact.built:
            record = "; ".join(_pairs(artifact.built))
            lines.append(f"{artifact.file} was built: {record}")
    if found.file is None:
        for kind in ENGINES.values():
            if kind.automatic and kind.artifact is None:
                default = kind.default_precision(found.manifest)
                lines.append(f"{kind.name}, made from the weights: {default} by default")
    elif not found.artifacts:
        lines.append(f"{found.file} is no engine's")
    return lines


def _parity(manifest: Manifest) -> list[str]:
    rows, conditioners = manifest.parity, manifest.conditioner_parity
    if not rows:
        return ["not proven: run wn-parity"]
    table = [["engine", "precision", "max|Δ|", "Δ bits", "samples", "first difference", ""]]
    for row in rows:
        first = "none" if row.first_difference is None else str(row.first_difference)
        table.append(
            [
                row.engine,
                row.precision,
                _number(row.max_error, ".1e"),
                "-" if row.delta_bits is None else f"{round(row.delta_bits, 4) + 0.0:+.4f}",
                str(row.samples_compared),
                first,
                "PASS" if row.passed else "FAIL",
            ]
        )
    for conditioner in conditioners:
        verdict = "PASS" if conditioner.passed else "FAIL"
        table.append(
            [
                "conditioner",
                conditioner.name,
                _number(conditioner.max_error, ".1e"),
                "",
                "",
                "",
                verdict,
            ]
        )
    return aligned(table, right=[2, 3, 4, 5]).splitlines()


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _shape(array: StateArray) -> str:
    """`[2047, B, 32]`."""
    return str([array.rows, "B", *array.channels]).replace("'", "")


def _files(found: Inspection) -> list[str]:
    rows = [[f.name, f"{f.bytes:,}", f.sha256[:12], f.status] for f in found.files]
    total = sum(f.bytes for f in found.files if f.status in ("ok", "changed", EXTRA))
    return [*aligned(rows, right=[1]).splitlines(), f"{total:,} bytes together"]


def _code(found: Inspection) -> list[str]:
    """Whatever could run; engines run nothing of it that is not trusted."""
    trusted = trust.trusted()
    rows = []
    for file in found.code:
        verdict = "trusted here" if file.sha256 in trusted else "not trusted here: never run"
        rows.append([file.name, file.code or "", verdict])
    return aligned(rows).splitlines() if rows else ["none: everything here is data"]


def _as_json(found: Inspection) -> dict[str, Any]:
    spec = found.manifest.spec
    data: dict[str, Any] = strict.plain(found.manifest)
    data["directory"] = str(found.directory)
    data["files"] = {
        f.name: {"bytes": f.bytes, "sha256": f.sha256, "status": f.status} for f in found.files
    }
    trusted = trust.trusted()
    data["code"] = {f.name: {"kind": f.code, "trusted": f.sha256 in trusted} for f in found.code}
    data["artifacts"] = strict.plain(found.artifacts)
    data["receptive_field"] = spec.receptive_field
    data["timing"] = strict.plain(Timing.of(spec.conditioning))
    data["parameters"] = spec.parameters
    data["state_bytes_per_stream"] = state_bytes(spec)
    data["sound"] = found.sound
    return data
