"""All findings of a machine, and which engines they add up to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.doctor import audio, cpu, gpu, power
from wn_runtime.doctor.finding import Finding
from wn_runtime.doctor.machine import Machine
from wn_runtime.engines.registry import ENGINES


@dataclass(frozen=True)
class Report:
    """What wn-doctor prints."""

    findings: tuple[Finding, ...]
    engines: dict[str, str | None]
    """Engine to what it lacks here; None where it runs."""

    @property
    def runs(self) -> bool:
        """Whether any engine can run."""
        return any(lack is None for lack in self.engines.values())


def examine(machine: Machine, cache: Path) -> Report:
    """Look at everything, the slow probes side by side. `cache`: where compiled libraries go."""
    jetson = gpu.jetson_model(machine)
    with ThreadPoolExecutor() as pool:
        onnx_runtime = pool.submit(cpu.onnx_runtime, machine, jetson is not None)
        compiler = pool.submit(cpu.compiler, machine)
        numpy = pool.submit(cpu.numpy, machine)
        driver = pool.submit(gpu.driver, machine)
        nvrtc = pool.submit(gpu.nvrtc, machine)
        tensorrt = pool.submit(gpu.tensorrt, machine, jetson)
        files = pool.submit(audio.files, machine)
        output = pool.submit(audio.output, machine)
    onnx, providers = onnx_runtime.result()
    graphics = [driver.result(), nvrtc.result(), tensorrt.result()]
    if not gpu.possible(machine, jetson):
        graphics = [gpu.without(machine, finding) for finding in graphics]
    findings = (
        cpu.python(),
        numpy.result(),
        cpu.processor(machine),
        compiler.result(),
        cpu.cache(cache),
        onnx,
        *graphics,
        gpu.jetpack(machine, jetson),
        power.power_mode(machine, jetson),
        files.result(),
        output.result(),
    )
    usable = {finding.subject for finding in findings if finding.usable}
    usable |= {f"{name.removesuffix('ExecutionProvider')} provider" for name in providers}
    engines = {
        kind.name: next((need for need in kind.needs if need not in usable), None)
        for kind in ENGINES.values()
    }
    return Report(findings, engines)


def summary(report: Report) -> str:
    """One line: which engines run here."""
    here = [name for name, lack in report.engines.items() if lack is None]
    without = [f"{name} (no {lack})" for name, lack in report.engines.items() if lack is not None]
    line = f"engines  run here: {', '.join(here) or 'none'}"
    return line + (f"; not here: {', '.join(without)}" if without else "")


def advice(report: Report) -> list[str]:
    """What is worth saying beyond the findings."""
    lines = []
    for name, lack in report.engines.items():
        kind = ENGINES[name]
        if lack == kind.needs[-1] and kind.advice:
            lines.append(kind.advice)
    if not report.runs:
        lines.append("no engine can run here: mend the C compiler or ONNX Runtime first")
    return lines
