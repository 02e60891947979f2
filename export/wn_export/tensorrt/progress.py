"""A progress bar with time left for a TensorRT build, and a way to stop it with Ctrl-C."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wn_runtime.commands.bar import Bar
from wn_runtime.engines.tensorrt.api import TensorRT

_STEPS = 1000


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0
    children: dict[str, float] = field(default_factory=dict)
    """Share done of each phase under way inside the current step."""


class BuildProgress:
    """Share done of TensorRT's nested phases: the part of a step is that of the phases in it."""

    def __init__(self, trt: TensorRT, title: str) -> None:
        self._phases: dict[str, _Phase] = {}
        self._bar = Bar(
            total=_STEPS,
            desc=title,
            disable=False,  # what is counted here is asked for
            mininterval=0.2,
            bar_format="{desc} {percentage:3.0f}% {bar} {elapsed}, {remaining} left",
        )
        self.interrupted: BaseException | None = None
        base = trt.IProgressMonitor
        callbacks = {
            "phase_start": lambda _, phase_name, parent_phase, num_steps: self.start(
                phase_name, parent_phase, num_steps
            ),
            "step_complete": lambda _, phase_name, step: self.step(phase_name, step),
            "phase_finish": lambda _, phase_name: self.finish(phase_name),
        }
        # Its class is known at run time only, hence no `class` statement.
        self.monitor: Any = type("WavestepProgress", (base,), callbacks)()

    @property
    def share(self) -> float:
        """Done so far, 0 to 1."""
        return self._bar.n / _STEPS

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase of `steps` begins inside `parent`."""
        self._phases[name] = _Phase(parent, max(steps, 1))

    def step(self, name: str, step: int) -> bool:
        """Step `step` of a phase is done; False asks TensorRT to stop."""
        # An exception must not travel through TensorRT: keep it, and stop the build.
        try:
            phase = self._phases.get(name)
            if phase is not None:
                phase.done, phase.children = step + 1, {}
                self._show()
        except BaseException as error:
            self.interrupted = error
        return self.interrupted is None

    def finish(self, name: str) -> None:
        """A phase is over."""
        phase = self._phases.pop(name, None)
        if phase is not None and phase.parent not in self._phases:
            self._bar.update(_STEPS - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def _show(self) -> None:
        share = 0.0
        for name, phase in reversed(self._phases.items()):  # children were started after parents
            inside = max(phase.children.values(), default=0.0)
            share = min((phase.done + inside) / phase.steps, 1.0)
            if phase.parent in self._phases:
                self._phases[phase.parent].children[name] = share
        whole = int(share * _STEPS)  # of the outermost
        if whole > self._bar.n:  # several tops in turn never go backwards
            self._bar.update(whole - self._bar.n)
