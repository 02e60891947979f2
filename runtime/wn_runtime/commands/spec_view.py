"""A spec in lines to read: wn-inspect's, of directories and of checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.conditioning.timing import Timing
from wn_runtime.heads.head import Head
from wn_runtime.model import strict
from wn_runtime.model.spec import ModelSpec, context_in_words
from wn_runtime.text import counted


def spec_lines(spec: ModelSpec) -> Iterable[str]:
    """The network's shape."""
    milliseconds = 1000 * spec.receptive_field / spec.sample_rate
    yield (
        f"{spec.layers} layers, residual {spec.residual_channels}, gate {spec.gate_channels}, "
        f"skip {spec.skip_channels}, head {spec.head_channels}, {_output(spec.output)}"
    )
    yield (
        f"{spec.sample_rate} Hz, {spec.parameters / 1e6:.2f} M parameters, receptive field "
        f"{spec.receptive_field} samples ({milliseconds:.0f} ms){context_in_words(spec)}"
    )
    scale = f", residual scale {spec.residual_scale:.4g}" if spec.residual_scale != 1 else ""
    yield f"kernel {spec.kernel}, input kernel {spec.input_kernel}{scale}"
    yield "dilations " + " ".join(str(d) for d in spec.dilations)
    if not spec.postprocess.does_nothing:
        post = spec.postprocess
        yield f"audio through de-emphasis {post.deemphasis:g}, then times {post.gain:.4g}"


def condition_lines(spec: ModelSpec) -> Iterable[str]:
    """Each with its values."""
    if not spec.conditions:
        yield "none"
    for condition in spec.conditions:
        values = ", ".join(condition.values)
        yield f"{condition.name} ({condition.kind}, {len(condition.values)}): {values}"


def frame_lines(spec: ModelSpec) -> Iterable[str]:
    """What a device that streams frames must know; nothing for a model without."""
    timing = Timing.of(spec.conditioning)
    if not timing.frame_channels:
        return
    milliseconds = 1000 / spec.sample_rate
    behind = counted(timing.lookahead // timing.hop, "frame")
    yield (
        f"{timing.frame_channels} channels, one every {timing.hop} samples "
        f"({timing.hop * milliseconds:.1f} ms); audio is {behind} "
        f"({timing.lookahead * milliseconds:.1f} ms) behind them"
    )
    for conditioner in spec.conditioning:
        if conditioner.frame_channels:
            yield _fields(conditioner)


def context_lines(spec: ModelSpec) -> Iterable[str]:
    """What reads the samples made, and how late; nothing for a model without."""
    for conditioner in spec.conditioning:
        if conditioner.uses_history:
            milliseconds = 1000 * conditioner.block / spec.sample_rate
            yield (
                f"a block of {conditioner.block} samples ({milliseconds:.1f} ms) at a time, and as "
                "much behind"
            )
            yield _fields(conditioner)


def _fields(conditioner: ConditionerSpec) -> str:
    fields: dict[str, Any] = strict.plain(conditioner)
    return f"{fields.pop('kind')}: " + ", ".join(f"{k} {v}" for k, v in fields.items())


def _output(head: Head) -> str:
    """`softmax, classes 256`."""
    fields = [f"{f.name} {getattr(head, f.name)}" for f in dataclasses.fields(head)]  # type: ignore[arg-type]
    return ", ".join([head.kind, *fields])
