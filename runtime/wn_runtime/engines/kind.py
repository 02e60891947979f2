"""What is known of a kind of engine before one is opened: all that the tools ask about it.

A kind stands in its engine's folder (`kind.py`) and in one line of registry.py. The choice of an
engine, wn-doctor, parity, wn-bench, wn-inspect and the manifest read it; none of them names an
engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wn_runtime.errors import EngineUnavailable, WavestepError

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.engines.engine import Engine
    from wn_runtime.model.manifest import Artifact, Manifest
    from wn_runtime.model.package import ModelPackage
    from wn_runtime.model.work import Work


@dataclass(frozen=True)
class EngineKind:
    """An engine, as the rest of the product knows it."""

    name: str
    """What `--engine` calls it."""
    precisions: tuple[str, ...]
    """The precisions it can have, fastest first."""
    artifact: str | None
    """The `engine` of the artifacts that it runs; None: it is made from the weights."""
    needs: tuple[str, ...]
    """What wn-doctor must find for it: its findings' subjects."""
    on_gpu: bool
    """Whether it computes on a GPU."""
    expected_us: Callable[[Work, str, int, int], float]
    """Microseconds of a step on an ordinary machine: (work, precision, streams, threads). It
    decides between engines as long as none was measured (see `choice`)."""
    open: Callable[[Request], Engine]
    """Opens one; what it needs is imported then. Raises EngineUnavailable where this machine
    lacks something, WavestepError for a broken file."""
    automatic: bool = True
    """Whether it is taken without being named."""
    present: Callable[[], bool] = lambda: True
    """Whether it is worth trying on this machine unasked; False keeps the choice from importing
    anything of it. Cheap."""
    most_own_threads: int = 1
    """Threads that it takes at most for one stream where nobody says how many."""
    artifact_is_code: bool = False
    """Whether a file made for it is machine code, which runs only where the user trusts it."""
    advice: str = ""
    """What to know where only the last of its needs is lacking, in wn-doctor's words."""

    def offered(self, manifest: Manifest) -> list[tuple[str, Artifact | None]]:
        """The precisions it can run a model in, each with its artifact where it runs one."""
        if self.artifact is None:
            return [(precision, None) for precision in self.precisions]
        return [
            (artifact.precision, artifact)
            for artifact in manifest.artifacts
            if artifact.engine == self.artifact and artifact.precision in self.precisions
        ]

    def default_precision(self, manifest: Manifest) -> str:
        """The manifest's, else the first that is offered, else the first there is."""
        named = manifest.default_precision.get(self.name)
        if named in self.precisions:
            return named
        if self.artifact is None:
            return self.precisions[-1]  # the widest: nothing has proven the others
        offered = [precision for precision, _ in self.offered(manifest)]
        return next((p for p in self.precisions if p in offered), self.precisions[0])


@dataclass(frozen=True)
class Request:
    """What is asked of a kind."""

    kind: EngineKind
    package: ModelPackage
    artifact: Artifact | None
    """The file the user named, which this kind runs; None where the kind may choose."""
    precision: str | None
    """None: the model's default for this engine."""
    batch: int
    threads: int | None
    """Of the CPU; None: as many as the engine finds best."""

    def chosen_precision(self) -> str:
        """The precision asked for, or the model's own.

        Raises EngineUnavailable where the kind has none such.
        """
        if self.artifact is not None:
            return self.artifact.precision
        kind = self.kind
        precision = self.precision or kind.default_precision(self.package.manifest)
        if precision not in kind.precisions:
            raise EngineUnavailable(
                f"the {kind.name} engine has no {precision}; its precisions are "
                f"{', '.join(kind.precisions)}"
            )
        return precision

    def chosen_artifact(self, what: str, how: str, option: str = "") -> Artifact:
        """The artifact of the precision asked for that needs the fewest calls for the batch.

        what, how: what such a file is called, and the words before the command that makes one;
        option: of wn-export, which makes none without it.
        Raises EngineUnavailable where the directory has none.
        """
        kind = self.kind
        if self.artifact is not None:
            if self.artifact.precision not in kind.precisions:
                raise WavestepError(
                    f"{self.artifact.file} has precision {self.artifact.precision}; the "
                    f"{kind.name} engine runs {' and '.join(kind.precisions)}"
                )
            return self.artifact
        precision = self.chosen_precision()
        offered = [a for _, a in kind.offered(self.package.manifest) if a is not None]
        fitting = [artifact for artifact in offered if artifact.precision == precision]
        if not fitting:
            have = ", ".join(sorted({a.precision for a in offered})) or f"no {what}"
            directory = self.package.directory
            options = [option] * bool(option) + ["--fp16"] * (precision == "fp16")
            raise EngineUnavailable(
                f"{directory} has no {precision} {what} (it has {have}); {how} "
                + " ".join(["wn-export", str(directory), *options])
            )
        return min(fitting, key=lambda a: (-(-self.batch // a.batch), a.batch))
