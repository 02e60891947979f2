"""`wn-targets`: known devices, one device, and what a model will do on each."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from wn_runtime.commands import next_step, say
from wn_runtime.commands.command import group
from wn_runtime.commands.table import aligned
from wn_runtime.model.spec import MOST_STREAMS
from wn_runtime.model.work import Work
from wn_targets.commands.complete import target_names
from wn_targets.constraints import constraints
from wn_targets.devices.catalogue import TARGETS, find
from wn_targets.devices.jetpack import JETPACKS
from wn_targets.devices.target import Cpu, Gpu, Target
from wn_targets.models.fit import HOST, MOST_COMPARED, Fit, crossing, gpu_from
from wn_targets.models.fit import fit as predict
from wn_targets.models.prediction import Prediction
from wn_targets.models.registry import ON_GPU
from wn_targets.presets import PRESETS
from wn_targets.subject import Subject, subject

UNITS = {
    "clock_mhz": "MHz",
    "l2_kib": "KiB",
    "l3_kib": "KiB",
    "l3_gbps": "GB/s",
    "core_dram_gbps": "GB/s",
    "dram_gbps": "GB/s",
    "memory_gb": "GB",
    "l2_bytes_per_cycle": "bytes/cycle",
}
as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")


@group(invoke_without_command=True)
@as_json
@click.pass_context
def main(context: click.Context, json_: bool) -> None:
    """Known devices; a figure with ? is unconfirmed (see `show` for the sources)."""
    if context.invoked_subcommand is not None:
        context.default_map = {context.invoked_subcommand: {"json_": json_}}
        return
    if json_:
        say.as_json([_as_dict(target) for target in TARGETS.values()])
        return
    rows = [["target", "device", "GPU", "SMs", "MHz", "L2 KiB", "GB", "GB/s", "CPU", "TensorRT"]]
    rows += [_row(target) for target in TARGETS.values()]
    say.table(aligned(rows, right=[3, 4, 5, 6, 7]))
    say.line("")
    say.line("? unconfirmed: `wn-targets show NAME` gives the sources")
    say.line(next_step.line("wn-targets", "fit", "MODEL"))


@main.command()
@click.argument("name", shell_complete=target_names)
@as_json
def show(name: str, json_: bool) -> None:
    """One device, each figure with its source."""
    target = find(name)
    if json_:
        say.as_json(_as_dict(target))
        return
    say.line(f"{target.name}  {target.title}")
    if target.note:
        say.line(target.note)
    rows = [
        [part, field, f"{value} {UNITS.get(field, '')}".strip(), source or "? unconfirmed"]
        for part, field, value, source in target.figures()
    ]
    for version in target.jetpacks:
        jetpack = JETPACKS[version]
        plan = "runs plans" if jetpack.runs_plans else "too old for plans"
        software = (
            f"TensorRT {jetpack.tensorrt}, CUDA {jetpack.cuda}, Python {jetpack.python}, {plan}"
        )
        rows.append(["JetPack", version, software, jetpack.source or "? unconfirmed"])
    say.table(aligned(rows))
    asked = constraints(target, "MODEL/")
    half = ", fp16 graph" if asked.fp16 else ""
    say.line(f"export   opset {asked.opset}{half}; on the device: {asked.command}")
    if asked.first:
        say.line(f"first    on the device: {asked.first}")
    say.line(next_step.line("wn-export", "CKPT", "--target", target.name))


@main.command()
@click.argument("model")
@click.argument("targets", nargs=-1, shell_complete=target_names)
@click.option("--rate", type=int, help="Sample rate in Hz, in place of the model's.")
@click.option(
    "--streams", type=click.IntRange(1, MOST_STREAMS), default=1, help="Streams side by side."
)
@click.option("--all", "all_", is_flag=True, help="Every engine, not only the fastest.")
@as_json
def fit(
    model: str, targets: tuple[str, ...], rate: int | None, streams: int, all_: bool, json_: bool
) -> None:
    """Predict a MODEL on every device, or on TARGETS.

    MODEL is a directory, a preset, the TOML file of wn-train --config, or a spec in JSON.
    """
    asked = subject(model, rate)
    chosen = [find(name) for name in targets] or list(TARGETS.values())
    precisions = asked.native_precision, asked.cuda_precision
    fits = [predict(asked.spec, target, streams, *precisions) for target in chosen]
    if json_:
        say.as_json(_fit_json(asked, streams, fits))
        return
    say.line(_headline(asked, streams))
    if asked.rate_assumed:
        assumed = f"{asked.spec.sample_rate / 1000:g} kHz is assumed"
        say.line(f"{assumed}, as {model} leaves it to the recordings; --rate HZ for another")
    titles = ["target", "engine", "samples/s", "× real time", "real time", "memory", "limited by"]
    if streams > 1:
        titles[2:3] = ["samples/s of each", "of all"]
    rows = [titles]
    for one in fits:
        shown = one.candidates if all_ else _worth_showing(one)
        rows += [_fit_row(one, candidate, streams) for candidate in shown]
        if targets and one.target.cpu is None:  # without names the host is in the list itself
            host = predict(asked.spec, find(HOST), streams, *precisions)
            beside = _fit_row(host, host.candidates[0], streams)
            rows.append([f"  its host, as {HOST}", *beside[1:]])
        if not shown:
            blank = [""] * (len(titles) - 5)
            rows.append([one.target.name, "none", *blank, "no", "", one.target.note])
    say.table(aligned(rows, right=range(2, len(titles) - 3)))
    say.line("")
    if len(fits) == 1 and streams <= MOST_COMPARED:
        say.line(crossing(asked.spec, fits[0].target, *precisions))
    say.line("These are predictions, not measurements: see docs/targets.md for the formula and its")
    say.line("error; GPU figures rest on one H200. Measure on the device with wn-bench.")
    if model in PRESETS and not Path(model).exists():
        say.line(next_step.line("wn-train", "DATA", "-o", "RUN", "--preset", model))
    elif Path(model).is_dir():
        chosen_one = targets[0] if len(targets) == 1 else "TARGET"
        say.line(next_step.line("wn-export", model, "--target", chosen_one))


def _headline(asked: Subject, streams: int) -> str:
    spec = asked.spec
    work = Work.of(spec)
    side = f", {streams} streams" if streams > 1 else ""
    return (
        f"{asked.name}: L{spec.layers} R{spec.residual_channels} S{spec.skip_channels}, "
        f"{work.macs / 1e6:.2f} M products a sample, {spec.sample_rate / 1000:g} kHz{side}: "
        "PREDICTED"
    )


def _worth_showing(one: Fit) -> list[Prediction]:
    """The fastest, and beside one on the GPU the fastest on the CPU."""
    shown = list(one.candidates[:1])
    if shown and shown[0].engine in ON_GPU:
        shown += [c for c in one.candidates if c.engine not in ON_GPU][:1]
    return shown


def _fit_row(one: Fit, prediction: Prediction, streams: int) -> list[str]:
    factor = one.real_time_factor(prediction)
    of_all = [f"{prediction.samples_per_second * streams:,.0f}"] if streams > 1 else []
    too_much = "" if prediction.fits else ", more than it has"
    return [
        one.target.name,
        f"{prediction.engine} {prediction.precision}" + (prediction.how and f", {prediction.how}"),
        f"{prediction.samples_per_second:,.0f}",
        *of_all,
        f"{factor:.2f}",
        "yes" if factor >= 1 and prediction.fits else "no",
        f"{prediction.memory_mb:,.0f} MB{too_much}",
        prediction.limited_by,
    ]


def _fit_json(asked: Subject, streams: int, fits: list[Fit]) -> dict[str, Any]:
    return {
        "kind": "prediction",
        "model": asked.name,
        "sample_rate": asked.spec.sample_rate,
        "sample_rate_assumed": asked.rate_assumed,
        "streams": streams,
        "targets": [
            {
                "target": one.target.name,
                "gpu_from_streams": gpu_from(
                    asked.spec, one.target, asked.native_precision, asked.cuda_precision
                ),
                "candidates": [
                    {
                        "engine": p.engine,
                        "precision": p.precision,
                        "fits": p.fits,
                        "memory_mb": round(p.memory_mb, 1),
                        "samples_per_second": round(p.samples_per_second, 1),
                        "real_time_factor": round(one.real_time_factor(p), 3),
                        "real_time": one.real_time_factor(p) >= 1 and p.fits,
                        "limited_by": p.limited_by,
                        "how": p.how,
                        "us": {name: round(us, 3) for name, us in p.terms.items()},
                    }
                    for p in one.candidates
                ],
            }
            for one in fits
        ],
    }


def _row(target: Target) -> list[str]:
    gpu, cpu = target.gpu, target.cpu
    versions = [JETPACKS[v].tensorrt for v in target.jetpacks if JETPACKS[v].runs_plans]
    plans = "10.3+" if gpu is not None and target.family == "gpu" else ", ".join(versions)
    return [
        target.name,
        target.title,
        f"{gpu.architecture} {_mark(gpu, 'compute_capability')}" if gpu else "",
        _mark(gpu, "sms"),
        _mark(gpu, "clock_mhz"),
        _mark(gpu, "l2_kib"),
        _mark(target, "memory_gb"),
        _mark(target, "dram_gbps"),
        f"{cpu.cores}× {cpu.core} {_mark(cpu, 'clock_mhz')} MHz" if cpu else "",
        plans or "none",
    ]


def _mark(item: Target | Cpu | Gpu | None, name: str) -> str:
    """A figure, with ? where nothing confirms it."""
    value = getattr(item, name, None)
    if item is None or value is None:
        return "?" if isinstance(item, Gpu) else ""
    return f"{value}" if name in item.sources else f"{value}?"


def _as_dict(target: Target) -> dict[str, Any]:
    data = dataclasses.asdict(target)
    data["jetpacks"] = [dataclasses.asdict(JETPACKS[version]) for version in target.jetpacks]
    data["constraints"] = dataclasses.asdict(constraints(target, "MODEL/"))
    return data
