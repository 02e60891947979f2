"""Parity of everything in a model directory that runs here: printed line by line, then reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wn_export.parity import report
from wn_export.parity.available import Unavailable, opened
from wn_export.parity.compare import Comparison, compare, steps_of
from wn_export.parity.conditioner import compare_conditioners
from wn_export.parity.expected import Reference
from wn_runtime import atomic
from wn_runtime.commands.bar import Bar
from wn_runtime.engines.registry import ENGINES
from wn_runtime.model.manifest import ConditionerRow, Manifest, ParityRow
from wn_runtime.model.package import ModelPackage


@dataclass(frozen=True)
class Proof:
    """What ran, how it compared, and what could not run here."""

    reference: Reference
    comparisons: tuple[Comparison, ...]
    conditioners: tuple[ConditionerRow, ...]
    unavailable: tuple[Unavailable, ...]
    strict: bool
    """Whether an engine was asked for by name: then every precision of it counts."""

    @property
    def rows(self) -> tuple[ParityRow, ...]:
        """For the manifest."""
        return tuple(comparison.row for comparison in self.comparisons)

    @property
    def passed(self) -> bool:
        """Whether every row passed that must: a lower precision that nobody exported may fail."""
        must = [row for row in self.rows if self.strict or not optional(row)]
        engines = bool(must) and all(row.passed for row in must)
        return engines and all(row.passed for row in self.conditioners)

    @property
    def default_precision(self) -> dict[str, str]:
        """The fastest precision that passed, of each engine that ran."""
        passed = [(row.engine, row.precision) for row in self.rows if row.passed]
        fastest: dict[str, str] = {}
        for kind in ENGINES.values():
            for precision in kind.precisions:
                if (kind.name, precision) in passed:
                    fastest.setdefault(kind.name, precision)
        return fastest


def prove(
    package: ModelPackage,
    reference: Reference,
    say: Callable[[str], None],
    engine: str | None = None,
) -> Proof:
    """Compare every engine and precision of a model, or those of `engine`, with `reference`.

    Raises WavestepError for a broken file, and for a named engine that cannot run here.
    """
    comparisons: list[Comparison] = []
    unavailable: list[Unavailable] = []
    for each in opened(package, engine, required=engine is not None):
        if isinstance(each, Unavailable):
            unavailable.append(each)
            continue
        with Bar(
            total=steps_of(reference, each.batch),
            desc=f"parity {each.name} {each.precision}",
            unit=" samples",
            delay=1,
        ) as bar:
            comparison = compare(each, reference, package.conditioner, bar.update)
        unused = "   (not used)" if optional(comparison.row) and not comparison.row.passed else ""
        say(_label(comparisons) + report.line(comparison) + unused)
        comparisons.append(comparison)
    conditioners = compare_conditioners(package, reference) if engine is None else []
    for row in conditioners:
        say(_label(comparisons) + report.conditioner_line(row))
    return Proof(
        reference,
        tuple(comparisons),
        tuple(conditioners),
        tuple(unavailable),
        strict=engine is not None,
    )


def write_reports(
    directory: Path, manifest: Manifest, proof: Proof, say: Callable[[str], None]
) -> None:
    """report.json, and where matplotlib is, report.html."""
    atomic.write(directory / "report.json", to_json(manifest, proof))
    try:
        from wn_export.parity.page import page

        text = page(manifest, proof)
    except ImportError as error:
        say(f"report   report.json only: no report.html without {error.name}")
        return
    atomic.write(directory / "report.html", text)


def to_json(manifest: Manifest, proof: Proof) -> str:
    """The text of report.json."""
    return report.to_json(
        manifest,
        proof.reference,
        proof.comparisons,
        proof.conditioners,
        proof.unavailable,
        proof.passed,
    )


def optional(row: ParityRow) -> bool:
    """Whether nobody asked for it: a lower precision of an engine made from the weights."""
    kind = ENGINES.get(row.engine)
    return kind is not None and kind.artifact is None and row.precision != "fp32"


def _label(before: list[Comparison]) -> str:
    return "         " if before else "parity   "
