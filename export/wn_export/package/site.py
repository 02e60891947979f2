"""A static site that plays a model in the browser: `wn-export DIR --target browser -o site/`.

    site/
      index.html, style.css, page.js, …    the page: wn_export/site, as it is there
      model/site.json                      what the page fetches, and how long it is
      model/engine.relaxed.wasm, …         the engine, a build for each extension of WebAssembly
      model/model.wn                       the packed model (wn_export/c_api), compressed
      model/speech.json, …                 the front end of a voice
      model/example.npy                    frames of a recording, for a model that takes them

Any static server will do; nothing is fetched from elsewhere.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from wn_export.c_api import wasm
from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.model_file import Named, packed_model
from wn_export.package import foreign, site_speech
from wn_export.package.staging import Kind, Staged, entries_of, size, staged
from wn_export.parity import reference
from wn_export.parity.expected import Conditions
from wn_runtime.commands import next_step
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.native.pack import to_bfloat16
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import json_file
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.weights import Weights

ASSETS = Path(__file__).resolve().parent.parent / "site"
INDEX = "model/site.json"
MADE_BY = "wn-export --target browser"
_FORMAT = 1
_MODEL, _EXAMPLE = "model.wn", "example.npy"
_MOST_BYTES = 2**31
"""Of weights and delay lines: a page has an address space of 4 GiB, and seldom the half of it."""
_NOT_OF_THE_PAGE = "package.json"
"""Node's."""
_EXAMPLE_S = 4.0
"""Seconds of the recording that a model of frames is shown with."""

Say = Callable[[str], None]


def export_site(directory: Path, target: Path | None, precision: str | None, say: Say) -> None:
    """Write the site of a model directory to `target`, by default NAME-site, here.

    precision: None: what the native engine runs by default. Raises WavestepError where the model
    cannot be run in a page, EngineUnavailable without the compiler; what was at `target` stays.
    """
    package = ModelPackage(directory)
    precision = precision or NATIVE.default_precision(package.manifest)
    if precision not in NATIVE.precisions:
        raise WavestepError(unknown("precision", precision, NATIVE.precisions, "a page runs"))
    _check_size(package)
    compiler = wasm.find_compiler()
    target = target or Path(f"{package.manifest.name}-site")
    with staged(target, Kind(_check_replaceable, _keep)) as stage:
        _copy(ASSETS, stage.path)
        made = stage.path / "model"
        made.mkdir()
        shapes = HostShapes(package.spec, precision, page_weights(package, precision))
        for build in wasm.BUILDS:
            layout = wasm.compile_wasm(compiler, build, shapes, made / _engine(build))
        named = Named(package.manifest.name, package.manifest.temperature)
        _write(made / _MODEL, packed_model(shapes, named, layout.tiles))
        _write_speech(package, made, precision)
        chosen = _write_example(package, made)
        _write_index(stage.path, precision, chosen)
        say(f"engine   {', '.join(map(_engine, wasm.BUILDS))}: {precision}, by {compiler.name}")
        _publish(stage, say)


def _publish(stage: Staged, say: Say) -> None:
    stage.publish()
    say(f"wrote    {stage.target}/  ({size(stage.target) / 1e6:.2f} MB)")
    say(next_step.line("python3", "-m", "http.server", "-d", stage.target))


def _engine(build: str) -> str:
    return f"engine.{build}.wasm"


def _check_size(package: ModelPackage) -> None:
    """Raise WavestepError where the model would not fit the memory of a page."""
    spec = package.spec
    weights = sum(array.nbytes for array in package.weights.values())
    needed = weights + 4 * spec.state_rows * spec.residual_channels
    if needed > _MOST_BYTES:
        raise WavestepError(
            f"{package.manifest.name} needs {needed / 2**30:.1f} GiB of memory, a page has at most "
            f"{_MOST_BYTES >> 30}; take a smaller model"
        )


def page_weights(package: ModelPackage, precision: str) -> Weights:
    """Those of the package; in int8 the conditioner's have eight bits of precision, too.

    They stay float32, whose lower halves are zeros that compress to nearly nothing.
    """
    if precision != "int8":
        return package.weights
    rounded = {
        name: (to_bfloat16(array).astype(np.uint32) << 16).view(np.float32)
        for name, array in package.weights.items()
        if name.startswith("condition.") and array.ndim > 1
    }
    return {**package.weights, **rounded}


def _write_speech(package: ModelPackage, folder: Path, precision: str) -> None:
    if package.front_end is None:
        return
    kept = "int8" if precision == "int8" else "fp32"
    for name, data in site_speech.files_of(package.front_end, kept).items():
        _write(folder / name, data)


def _write_example(package: ModelPackage, folder: Path) -> Conditions:
    """Frames of the reference's longest clip, for a model that takes them and reads no text.

    Returns the clip's conditions.
    """
    timing = package.conditioner.timing
    if package.front_end is not None or not timing.frame_channels:
        return {}
    clip = max(reference.load(package).clips, key=lambda clip: len(clip.samples))
    frames = clip.frames
    assert frames is not None  # `load` has checked it against the spec
    count = round(_EXAMPLE_S * package.spec.sample_rate / timing.hop)
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(frames[:count, 0], "<f4"))
    _write(folder / _EXAMPLE, file.getvalue())
    return clip.conditions


def _write(path: Path, data: bytes) -> None:
    """Compressed: by far not every server does that. The same bytes make the same file."""
    path.write_bytes(gzip.compress(data, 9, mtime=0))


def _write_index(site: Path, precision: str, chosen: Conditions) -> None:
    names = {build: _engine(build) for build in wasm.BUILDS} | {
        "model": _MODEL,
        "words": site_speech.JSON,
        "speech": site_speech.WEIGHTS,
        "example": _EXAMPLE,
    }
    files = {
        what: {"name": name, "bytes": (site / "model" / name).stat().st_size}
        for what, name in names.items()
        if (site / "model" / name).exists()
    }
    index = {
        "format": _FORMAT,
        "made_by": MADE_BY,
        "precision": precision,
        "files": files,
        "chosen": dict(chosen),
        "ours": sorted(path.name for path in site.iterdir()),
    }
    (site / INDEX).write_text(json.dumps(index, indent=1) + "\n", "utf-8")


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.name != _NOT_OF_THE_PAGE:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def _check_replaceable(target: Path) -> None:
    """Raise WavestepError unless `target` is free, an empty directory or such a site."""
    if entries_of(target) and _ours(target) is None:
        raise WavestepError(
            f"{target} is not a site of wn-export's (it has no {INDEX} of one), so it is not "
            "replaced; give another -o"
        )


def _ours(site: Path) -> frozenset[str] | None:
    """What wn-export put into a site's folder; None where it is no such site."""
    try:
        index = json_file.load(site / INDEX)
    except (OSError, ValueError):
        return None
    if not isinstance(index, dict) or index.get("made_by") != MADE_BY:
        return None
    names = index.get("ours")
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def _keep(old: Path, new: Path) -> None:
    """What else lies in the site's folder goes on lying there: a CNAME, a robots.txt."""
    ours = _ours(old) or frozenset()
    foreign.keep_beside([entry for entry in old.iterdir() if entry.name not in ours], new)
