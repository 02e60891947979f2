"""Parity as a table to read and as report.json."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from pathlib import Path

from wn_export.parity.available import Missing
from wn_export.parity.compare import BITS_TOLERANCE, LOGIT_TOLERANCE, Comparison
from wn_export.parity.reference import Reference
from wn_runtime.model import strict
from wn_runtime.model.manifest import Manifest, ParityRow


def verdict(row: ParityRow) -> str:
    """PASS or FAIL."""
    return "PASS" if row.passed else "FAIL"


def signed(bits: float) -> str:
    """Four places with a sign; zero is +0.0000."""
    return f"{round(bits, 4) + 0.0:+.4f}"


def line(comparison: Comparison) -> str:
    """One row of the table."""
    row = comparison.row
    text = (
        f"{row.engine} {row.precision}".ljust(13)
        + f"max|Δ| {row.max_logit_error:.1e}   {signed(row.delta_bits)} bits   {verdict(row)}"
    )
    if row.first_difference is None or (row.precision != "fp32" and row.passed):
        return text
    close = "within float error" if comparison.within_float_error else "more than float error"
    return f"{text}   sample {row.first_difference} differs, margin {row.margin:.1e}: {close}"


def to_json(
    manifest: Manifest,
    reference: Reference,
    comparisons: Sequence[Comparison],
    missing: Sequence[Missing],
    passed: bool,
) -> str:
    """Everything the table says and what it rests on."""
    data = {
        "name": manifest.name,
        "passed": passed,
        "tolerance": {"fp32_logits": LOGIT_TOLERANCE, "other_bits": BITS_TOLERANCE},
        "reference": {
            "material": reference.material,
            "samples": sum(len(excerpt.codes) for excerpt in reference.excerpts),
            "bits_per_sample": reference.bits,
            "largest_logit": reference.largest_logit,
            "excerpts": [
                {
                    "conditions": dict(excerpt.conditions),
                    "samples": len(excerpt.codes),
                    "bits_per_sample": float(answer.bits.mean()),
                }
                for excerpt, answer in zip(reference.excerpts, reference.answers, strict=True)
            ],
            "free_running": {
                "conditions": dict(reference.free.conditions),
                "seed": reference.free.seed,
                "samples": len(reference.free.samples),
            },
        },
        "engines": [
            {
                **strict.plain(comparison.row),
                "within_float_error": comparison.within_float_error,
                "excerpt_bits": list(comparison.bits),
            }
            for comparison in comparisons
        ],
        "not_here": [vars(each) for each in missing],
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "versions": manifest.versions,
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def write(path: Path, text: str) -> None:
    """Beside, then renamed."""
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
