"""Parity as a table to read and as report.json."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence

from wn_export.parity.available import Unavailable
from wn_export.parity.compare import BITS_TOLERANCE, PARAMS_TOLERANCE, Comparison
from wn_export.parity.reference import Reference
from wn_runtime.model import strict
from wn_runtime.model.manifest import ConditionerRow, Manifest, ParityRow


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
        + f"max|Δ| {row.max_error:.1e}   {signed(row.delta_bits)} bits   {verdict(row)}"
    )
    if row.first_difference is None or (row.precision != "fp32" and row.passed):
        return text
    close = "within float error" if comparison.within_float_error else "more than float error"
    return f"{text}   sample {row.first_difference} differs, margin {row.margin:.1e}: {close}"


def conditioner_line(row: ConditionerRow) -> str:
    """One row of the conditioners'."""
    verdict_of = "PASS" if row.passed else "FAIL"
    return (
        f"bias {row.name}".ljust(13) + f"max|Δ| {row.max_error:.1e}                  {verdict_of}"
    )


def to_json(
    manifest: Manifest,
    reference: Reference,
    comparisons: Sequence[Comparison],
    conditioners: Sequence[ConditionerRow],
    unavailable: Sequence[Unavailable],
    passed: bool,
) -> str:
    """Everything the table says and what it rests on."""
    data = {
        "name": manifest.name,
        "passed": passed,
        "tolerance": {"fp32_params": PARAMS_TOLERANCE, "other_bits": BITS_TOLERANCE},
        "reference": {
            "material": reference.material,
            "samples": sum(len(clip.samples) for clip in reference.clips),
            "bits_per_sample": reference.bits,
            "largest_param": reference.largest,
            "clips": [
                {
                    "conditions": dict(clip.conditions),
                    "samples": len(clip.samples),
                    "bits_per_sample": float(prediction.bits.mean()),
                }
                for clip, prediction in zip(reference.clips, reference.predictions, strict=True)
            ],
            "free_running": {
                "conditions": dict(reference.free.clip.conditions),
                "seed": reference.free.seed,
                "samples": len(reference.free.clip.samples),
            },
        },
        "engines": [
            {
                **strict.plain(comparison.row),
                "within_float_error": comparison.within_float_error,
                "clip_bits": list(comparison.bits),
            }
            for comparison in comparisons
        ],
        "conditioners": [strict.plain(row) for row in conditioners],
        "unavailable": [vars(each) for each in unavailable],
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "versions": manifest.versions,
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
