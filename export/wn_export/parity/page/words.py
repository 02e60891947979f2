"""What the page says in words: the verdict, what was compared, and how to read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wn_export.parity.compare import BITS_TOLERANCE, PARAMS_TOLERANCE, Comparison
from wn_export.parity.report import short
from wn_runtime.heads.bits import in_words, more_for_16

if TYPE_CHECKING:
    from wn_export.parity.prove import Proof
    from wn_runtime.model.manifest import Manifest

EXPLAINED = (
    (
        "What is compared",
        "Three levels. Teacher-forced on real audio, every engine's parameters of the next "
        "sample's distribution beside PyTorch's in float32: max |Δ| and mean |Δ|, relative to the "
        "largest. "
        "The bits that each engine needs for a sample of that audio, less PyTorch's: Δ bits. And "
        "free-running: both draw from silence with the same random numbers, and their samples are "
        "compared one by one.",
    ),
    (
        "When a row passes",
        f"float32: max |Δ| at most {PARAMS_TOLERANCE:g}, and the same samples; where one differs, "
        "the draw there must have been a tie within float error. Lower precisions: Δ bits within "
        f"{BITS_TOLERANCE:g} bits a sample, up or down.",
    ),
    (
        "Within float error",
        "Each sample is drawn by comparing a random number with the cumulative probability of the "
        "classes. Float32 sums come out a little different in another order of summation. Where "
        "the random number falls so close to a border that this rounding decides, two correct "
        "engines draw different samples. The margin says how close it was.",
    ),
    (
        "Why int8 may sound different and still be proven",
        "After the first sample that differs, two streams hear different pasts and go different "
        "ways, as two takes of one speaker do. So the waveform and the picture may differ while "
        "the model is the same: what counts is how well it predicts real audio, which is what Δ "
        "bits measures.",
    ),
)


def headline(proof: Proof) -> str:
    """The verdict in a sentence."""
    if proof.passed:
        return "What runs here is the model that was trained."
    return "What runs here is not proven to be the model that was trained."


def reasons(proof: Proof) -> Iterator[str]:
    """What the verdict rests on, a line each."""
    from wn_export.parity.prove import optional

    failed = [c.row for c in proof.comparisons if not c.row.passed]
    exact = [c.row for c in proof.comparisons if c.row.precision == "fp32" and c.row.passed]
    lower = [c.row for c in proof.comparisons if c.row.precision != "fp32" and c.row.passed]
    if exact:
        names = ", ".join(row.engine for row in exact)
        apart = [row.engine for row in exact if row.first_difference is not None]
        but = f" ({', '.join(apart)}: up to a tie within float error)" if apart else ""
        yield f"{names} in float32: PyTorch's samples, one by one{but}."
    if lower:
        worst = max(abs(row.delta_bits or 0.0) for row in lower)
        names = ", ".join(f"{row.engine} {row.precision}" for row in lower)
        yield f"{names}: within {worst:.4f} bits a sample of PyTorch."
    for row in failed:
        unused = ", and is not used" if optional(row) and not proof.strict else ""
        yield f"{row.engine} {row.precision} is outside tolerance{unused}."
    for conditioner in proof.conditioners:
        if not conditioner.passed:
            yield f"The bias of {conditioner.name} is outside tolerance."


def facts(manifest: Manifest, proof: Proof, machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Model, material, conditions, when, where and with what."""
    spec, reference = manifest.spec, proof.reference
    seconds = sum(len(clip.samples) for clip in reference.clips) / spec.sample_rate
    more = more_for_16(spec.output, (clip.samples for clip in reference.clips))
    free = reference.free
    yield (
        "model",
        f"{spec.layers} layers, {spec.residual_channels} residual, {spec.gate_channels} gate and "
        f"{spec.skip_channels} skip channels, {spec.parameters / 1e6:.2f} M parameters, "
        f"{spec.sample_rate} Hz",
    )
    yield "held against", f"float32 PyTorch on {seconds:.1f} s of {reference.material}"
    yield "PyTorch", in_words(reference.bits, more)
    yield "heard below", f"{conditions(free.clip.conditions)}, seed {free.seed}, temperature 1"
    where = machine["device"] or machine["cpu"] or machine["architecture"]
    gpus = "".join(f", {gpu.partition(',')[0]}" for gpu in machine["gpus"])
    yield "machine", f"{where}, {machine['cores_allowed']} of {machine['cores']} cores{gpus}"
    yield "date", f"{machine['time'][:16].replace('T', ' ')} UTC"
    missing = {each.engine: each.reason for each in proof.unavailable}
    if missing:
        yield "not compared", "; ".join(f"{name}: {reason}" for name, reason in missing.items())
    versions = {"python": machine["python"], **machine["versions"]}
    yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items())


def conditions(given: Any) -> str:
    """`speaker jackson, mood calm`."""
    return ", ".join(f"{name} {value}" for name, value in given.items()) or "no condition"


def of_samples(comparison: Comparison) -> str:
    """How the free-running samples compare."""
    row = comparison.row
    if comparison.fault is not None:
        return f"none: {comparison.fault}"
    if row.first_difference is None:
        return "every sample the same"
    # Of a lower precision it is no matter of float error, and no condition to pass.
    close = (
        ", within float error" if row.precision == "fp32" and comparison.within_float_error else ""
    )
    return f"first differs at sample {row.first_difference} (margin {short(row.margin)}{close})"
