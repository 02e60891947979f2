"""Parity of everything in a model directory that runs here: printed line by line, then reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from wn_export.parity import report
from wn_export.parity.available import Missing, opened
from wn_export.parity.compare import Comparison, compare, steps_of
from wn_export.parity.reference import Reference
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.engines.engine import ENGINES
from wn_runtime.model import manifest as manifests
from wn_runtime.model import weights
from wn_runtime.model.manifest import Manifest, ParityRow

_BY_SPEED = ("int8", "bf16", "fp32")
"""Precisions of an engine made from the weights, fastest first."""


@dataclass(frozen=True)
class Proof:
    """What ran, how it compared, and what could not run here."""

    reference: Reference
    comparisons: tuple[Comparison, ...]
    missing: tuple[Missing, ...]
    strict: bool
    """Whether an engine was asked for by name: then every precision of it counts."""

    @property
    def rows(self) -> tuple[ParityRow, ...]:
        """For the manifest."""
        return tuple(comparison.row for comparison in self.comparisons)

    @property
    def passed(self) -> bool:
        """Whether every row passed that must: a lower precision that nobody exported may fail."""
        must = [row for row in self.rows if self.strict or not _optional(row)]
        return bool(must) and all(row.passed for row in must)

    @property
    def native_precision(self) -> str:
        """The fastest precision that passed, of the engine made from the weights."""
        passed = {row.precision for row in self.rows if row.passed and _from_weights(row)}
        return next((precision for precision in _BY_SPEED if precision in passed), "fp32")


def prove(
    directory: Path, reference: Reference, say: Callable[[str], None], engine: str | None = None
) -> Proof:
    """Compare every engine and precision in `directory`, or those of `engine`, with `reference`.

    Raises WavestepError for a broken file, and for a named engine that cannot run here.
    """
    manifest = manifests.read(directory)
    manifests.verify(directory, manifest, manifests.WEIGHTS)
    model = weights.load(directory / manifests.WEIGHTS, manifest.spec)
    conditioner = Conditioner(manifest.spec, model)
    comparisons: list[Comparison] = []
    missing: list[Missing] = []
    for each in opened(directory, engine, required=engine is not None):
        if isinstance(each, Missing):
            missing.append(each)
            continue
        with tqdm(
            total=steps_of(reference, each.batch), desc=f"parity {each.name} {each.precision}",
            unit=" samples", delay=1, leave=False, disable=None,
        ) as bar:  # fmt: skip
            comparison = compare(each, reference, conditioner, bar.update)
        label = "parity   " if not comparisons else "         "
        unused = "   (not used)" if _optional(comparison.row) and not comparison.row.passed else ""
        say(label + report.line(comparison) + unused)
        comparisons.append(comparison)
    return Proof(reference, tuple(comparisons), tuple(missing), strict=engine is not None)


def to_json(manifest: Manifest, proof: Proof) -> str:
    """The text of report.json."""
    return report.to_json(manifest, proof.reference, proof.comparisons, proof.missing, proof.passed)


def write_reports(
    directory: Path, manifest: Manifest, proof: Proof, say: Callable[[str], None]
) -> None:
    """report.json, and where matplotlib is, report.html."""
    report.write(directory / "report.json", to_json(manifest, proof))
    try:
        from wn_export.parity import page as report_page

        page = report_page.page(manifest.name, manifest.spec, proof.reference, proof.comparisons)
    except ImportError as error:
        say(f"report   report.json only: no report.html without {error.name}")
        return
    report.write(directory / "report.html", page)


def _from_weights(row: ParityRow) -> bool:
    return row.engine in ENGINES and ENGINES[row.engine].runs is None


def _optional(row: ParityRow) -> bool:
    return _from_weights(row) and row.precision != "fp32"
