"""Parity as a table to read and as report.json."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence

import numpy as np

from wn_export.parity.available import Unavailable
from wn_export.parity.compare import BITS_TOLERANCE, PARAMS_TOLERANCE, Comparison
from wn_export.parity.expected import Reference
from wn_runtime.heads.bits import more_for_16
from wn_runtime.model import strict
from wn_runtime.model.manifest import ConditionerRow, Manifest, ParityRow

KEYS = frozenset({"passed", "reference", "engines"})
"""Of what `to_json` has, what no other command's report has."""


def verdict(row: ParityRow) -> str:
    """PASS or FAIL."""
    return "PASS" if row.passed else "FAIL"


def signed(bits: float | None) -> str:
    """Four places with a sign; zero is +0.0000, None is not a number."""
    return "nan" if bits is None else f"{round(bits, 4) + 0.0:+.4f}"


def short(error: float | None) -> str:
    """`1.2e-05`."""
    return "nan" if error is None else f"{error:.1e}"


def line(comparison: Comparison) -> str:
    """One row of the table."""
    row = comparison.row
    text = (
        f"{row.engine} {row.precision} ".ljust(13)
        + f"max|Δ| {short(row.max_error)}   {signed(row.delta_bits)} bits   {verdict(row)}"
    )
    if comparison.fault is not None:
        return f"{text}   {comparison.fault}"
    if row.first_difference is None or (row.precision != "fp32" and row.passed):
        return text
    close = "within float error" if comparison.within_float_error else "more than float error"
    return f"{text}   sample {row.first_difference} differs, margin {short(row.margin)}: {close}"


def conditioner_line(row: ConditionerRow) -> str:
    """One row of the conditioners'."""
    verdict_of = "PASS" if row.passed else "FAIL"
    return (
        f"bias {row.name}".ljust(13)
        + f"max|Δ| {short(row.max_error)}                  {verdict_of}"
    )


def to_json(
    manifest: Manifest,
    reference: Reference,
    comparisons: Sequence[Comparison],
    conditioners: Sequence[ConditionerRow],
    unavailable: Sequence[Unavailable],
    passed: bool,
) -> str:
    """Everything the table says and what it rests on; in ASCII, without NaN."""
    clips = (clip.samples for clip in reference.clips)
    more = more_for_16(manifest.spec.output, clips)
    data = {
        "name": manifest.name,
        "passed": passed,
        "tolerance": {"fp32_params": PARAMS_TOLERANCE, "other_bits": BITS_TOLERANCE},
        "reference": {
            "material": reference.material,
            "samples": sum(len(clip.samples) for clip in reference.clips),
            "bits_per_sample": reference.bits,
            "bits_per_16_bit_sample": reference.bits + more,
            "largest_param": reference.largest,
            "clips": [
                {
                    "conditions": dict(clip.conditions),
                    "samples": len(clip.samples),
                    "bits_per_sample": float(prediction.bits.mean(dtype=np.float64)),
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
                "fault": comparison.fault,
                "clip_bits": list(comparison.bits),
            }
            for comparison in comparisons
        ],
        "conditioners": [strict.plain(row) for row in conditioners],
        "unavailable": [vars(each) for each in unavailable],
        "machine": {"system": platform.system(), "processor": platform.machine()},
        "versions": manifest.versions,
    }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"
