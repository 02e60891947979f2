"""wn-export: a checkpoint, or a model directory, to a proven model directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wn_runtime import installation
from wn_runtime.commands import say
from wn_runtime.commands.command import command
from wn_runtime.commands.given import a_path
from wn_runtime.errors import WavestepError
from wn_targets.commands.complete import target_names

if TYPE_CHECKING:
    from wn_export.package.export import Options


def _targets(context: click.Context, option: click.Parameter, begun: str) -> list[str]:
    """What --target takes: devices, and the two that are none."""
    from wn_targets.constraints import BROWSER, THIS_CPU

    others = [name for name in (BROWSER, THIS_CPU) if name.startswith(begun)]
    return [*others, *target_names(context, option, begun)]


def _needless(_: click.Context, __: click.Parameter, given: bool) -> None:
    """Who asks for int8 is told that there is nothing to ask for."""
    if given:
        raise WavestepError(
            "--int8 is no option: int8 is exported wherever its parity passes; leave it out"
        )


_ALONE = "goes with -o and --precision alone"


@command()
@click.argument("source", metavar="CKPT|DIR", type=a_path)
@click.option(
    "-o",
    "--output",
    type=a_path,
    metavar="DIR",
    help="Where to write; by default the model's name, here, or DIR itself.",
)
@click.option("--fp16", is_flag=True, help="Also a step graph in half precision.")
@click.option("--int8", is_flag=True, hidden=True, expose_value=False, callback=_needless)
@click.option(
    "--generator",
    is_flag=True,
    help="Also generator.onnx: the loop and the draw inside, for any ONNX Runtime.",
)
@click.option("--batch", type=int, metavar="B", help="Streams the graphs are built for [1].")
@click.option(
    "--audio",
    type=a_path,
    multiple=True,
    metavar="WAV",
    help="Held-back audio to prove parity on, in place of the checkpoint's own; repeatable.",
)
@click.option(
    "--frames",
    type=a_path,
    multiple=True,
    metavar="NPY",
    help="Frames of --audio, a file for each in the same order. Default: as features.json said.",
)
@click.option(
    "--target",
    metavar="NAME",
    shell_complete=_targets,
    help="What a device that wn-targets lists needs; cpu: what CPUs like this machine's need; "
    "browser: a static site that plays DIR.",
)
@click.option(
    "--bundle",
    type=a_path,
    metavar="OUT",
    help="With --target: also a folder, or a .tar, to copy to the device, with all that it needs.",
)
@click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="X.Y",
    help="With --bundle: the device's Python; repeatable. Default: those of the target's systems.",
)
@click.option(
    "--version-compatible",
    is_flag=True,
    help="A plan that later versions of TensorRT run too; of the step graph, so far slower.",
)
@click.option(
    "--plain-plan",
    is_flag=True,
    help="With --fp16: a plan of the step graph, not of the cuda engine's kernel; far slower.",
)
@click.option("--raw-weights", is_flag=True, help="The last weights, not the averaged ones.")
@click.option(
    "--c-api",
    type=a_path,
    metavar="OUT",
    help="Of DIR only: a folder with all that C, C++ or another language needs to run it.",
)
@click.option(
    "--precision",
    metavar="P",
    help="With --c-api or --target browser: fp32, bf16 or int8 [the fastest that passed parity].",
)
def main(
    source: Path,
    output: Path | None,
    fp16: bool,
    generator: bool,
    batch: int | None,
    audio: tuple[Path, ...],
    frames: tuple[Path, ...],
    target: str | None,
    bundle: Path | None,
    pythons: tuple[str, ...],
    version_compatible: bool,
    plain_plan: bool,
    raw_weights: bool,
    c_api: Path | None,
    precision: str | None,
) -> int:
    """Export a trained model (CKPT, or a run's folder), or make graphs and engines of DIR anew.

    Every engine and precision is held against PyTorch. Where one is outside tolerance nothing is
    replaced, the result is kept aside as DIR.failed, and the exit code is 1.
    """
    try:
        from wn_export.bundle.bundle import order
        from wn_export.package.export import Options, export_checkpoint, rebuild
    except ImportError as error:
        fix = installation.install("export")
        raise WavestepError(f"wn-export needs onnx ({error}); {fix}") from error
    from wn_runtime.exchange import restore
    from wn_runtime.model.manifest import MANIFEST
    from wn_targets.constraints import BROWSER
    from wn_train.run_files import BEST, checkpoint_of

    source = checkpoint_of(source)
    if target == BROWSER and (c_api is not None or bundle is not None):
        raise WavestepError(f"--target {BROWSER} {_ALONE}")
    if pythons and bundle is None:
        raise WavestepError("--python is of a bundle: give --bundle OUT too")
    options = Options(
        fp16,
        batch,
        raw_weights,
        audio,
        frames,
        target,
        version_compatible,
        plain_plan,
        generator,
        order(bundle, target, pythons) if bundle is not None else None,
    )
    restore(source)
    if target == BROWSER:
        return _site(source, output, precision, options)
    if c_api is not None or precision is not None:
        return _c_api(source, output, c_api, precision, options)
    if source.is_dir() and not os.path.lexists(source / MANIFEST):
        raise WavestepError(
            f"{source} has neither {BEST}, as a run's folder, nor {MANIFEST}, as a model "
            "directory; give one of these, or a checkpoint"
        )
    make = rebuild if source.is_dir() else export_checkpoint
    return 0 if make(source, output, options, say.line) else 1


def _c_api(
    source: Path, output: Path | None, c_api: Path | None, precision: str | None, options: Options
) -> int:
    """`--c-api` makes nothing else: the model directory stays as it is."""
    from wn_export.c_api.folder import write_c_api
    from wn_runtime.errors import WavestepError
    from wn_runtime.model.package import ModelPackage
    from wn_targets.constraints import BROWSER, march_of

    if c_api is None:
        raise WavestepError(f"--precision goes with --c-api, or with --target {BROWSER}")
    if output is not None:
        raise WavestepError(f"--c-api {c_api} is the place of all it makes; leave out -o {output}")
    if options != type(options)(device=options.device):
        raise WavestepError("--c-api goes with --target and --precision alone")
    _check_exported(source, "--c-api")
    march = march_of(options.device)
    write_c_api(ModelPackage(source), c_api, march, precision, say.line)
    return 0


def _site(source: Path, output: Path | None, precision: str | None, options: Options) -> int:
    """`--target browser` makes nothing else, either."""
    from wn_export.package.site import export_site
    from wn_runtime.errors import WavestepError
    from wn_targets.constraints import BROWSER

    if options != type(options)(device=BROWSER):
        raise WavestepError(f"--target {BROWSER} {_ALONE}")
    _check_exported(source, f"--target {BROWSER}")
    export_site(source, output, precision, say.line)
    return 0


def _check_exported(source: Path, option: str) -> None:
    from wn_runtime.errors import WavestepError

    if not source.is_dir():
        raise WavestepError(
            f"{source} is no model directory; export it first, wn-export {source}, and give "
            f"{option} with the directory"
        )
