"""All that a C program needs of a model, in one folder: `wn-export DIR --c-api OUT`.

OUT holds

    wavestep.h          the API, the same for every model
    wavestep.o          the library, to link with
    libwavestep.so      the same, to load
    wavestep.c          the same as one file, for another compiler or CPU of the same kind
    digits.int8.wn      the packed model
    say.c, frames.c     examples
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from pathlib import Path

from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.library import OBJECT, SHARED, compile_object, link_shared
from wn_export.c_api.model_file import SUFFIX, Named, packed_model
from wn_export.c_api.source import HEADER, c_source
from wn_export.package.plan import quoted
from wn_runtime import exchange, folders
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.native.precompiled import compiler_for
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model.package import ModelPackage

PRECISIONS = ("fp32", "bf16", "int8")
EXAMPLES = ("say.c", "frames.c", "files.h")
_OURS = frozenset((HEADER.name, OBJECT, SHARED, "wavestep.c", *EXAMPLES))
Say = Callable[[str], None]


def write_c_api(
    package: ModelPackage, out: Path, march: str, precision: str | None, say: Say
) -> None:
    """Write the folder `out` for CPUs of `-march=<march>`, whole or not at all.

    precision: None is the fastest that passed parity. Raises WavestepError where `out` is not ours
    to replace, without a compiler, and for what has no C code; `out` is then as it was.
    """
    if precision not in (None, *PRECISIONS):
        raise WavestepError(unknown("precision", precision, PRECISIONS))
    precision = precision or NATIVE.default_precision(package.manifest)
    out = out.resolve() if out.is_symlink() or out.name in ("", "..") else out
    _check_replaceable(out)
    shapes = HostShapes(package.spec, precision, package.weights)
    compiler, target, _ = compiler_for(march)
    manifest = package.manifest
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        exchange.restore(out)
        with folders.in_the_making(out) as folder:
            layout = compile_object(compiler, target, shapes, folder / OBJECT)
            link_shared(compiler, target, folder / OBJECT, folder / SHARED)
            model = folder / f"{manifest.name}.{precision}{SUFFIX}"
            named = Named(manifest.name, manifest.temperature)
            model.write_bytes(packed_model(shapes, named, layout.tiles))
            (folder / "wavestep.c").write_text(c_source(shapes), "utf-8")
            (folder / HEADER.name).write_bytes(HEADER.read_bytes())
            examples = importlib.resources.files("wn_export.c_api") / "examples"
            for name in EXAMPLES:
                (folder / name).write_bytes((examples / name).read_bytes())
            sizes = model.stat().st_size / 1e6, (folder / OBJECT).stat().st_size / 1e3
            _check_replaceable(out)  # it may have come while this one was made
            folders.put(folder, out)
    except OSError as error:
        raise WavestepError(
            f"{out} cannot be written: {error.strerror or error}; what was there is as it was"
        ) from error
    example = "frames" if package.conditioner.timing.frame_channels else "say"
    say(f"c api    {model.name} ({sizes[0]:.1f} MB), {OBJECT} ({sizes[1]:.0f} kB) for {march}")
    say(f"wrote    {out}/")
    where = "" if march == "native" else "on the device: "
    say(f"next     {where}cd {quoted(out)} && cc -O2 {example}.c {OBJECT} -o {example}")


def _check_replaceable(out: Path) -> None:
    """Raise WavestepError unless `out` is free, empty, or such a folder with nothing else in it."""
    try:
        names = sorted(entry.name for entry in out.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise WavestepError(
            f"{out} cannot be replaced ({error.strerror}); give another folder"
        ) from error
    other = [name for name in names if name not in _OURS and not name.endswith(SUFFIX)]
    if other or (names and HEADER.name not in names):
        what = other[0] if other else names[0]
        raise WavestepError(
            f"{out} is not replaced, as it holds {what!r}, which is not of a C API; give another "
            "folder"
        )
