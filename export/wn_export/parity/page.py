"""report.html: one self-contained page to look at and listen to."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.compare import Comparison
from wn_export.parity.expected import Reference
from wn_export.parity.report import short, signed, verdict
from wn_runtime.heads.bits import in_words, more_for_16
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec
from wn_runtime.text import printable
from wn_train import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .8rem; border-bottom: 1px solid #ccc; text-align: right }
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) { text-align: left }
td:nth-child(-n+5) { white-space: nowrap }
.PASS { color: #060 } .FAIL { color: #b00; font-weight: bold }
figure { display: inline-block; width: 47%; margin: 0 1% 1rem 0; vertical-align: top }
img, audio { width: 100% }
.wide { width: 96% }
"""


def page(
    name: str, spec: ModelSpec, reference: Reference, comparisons: Sequence[Comparison]
) -> str:
    """The page's HTML. Needs matplotlib."""
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{_text(name)}: parity</title>"
        f"<style>{_STYLE}</style><h1>{_text(name)}</h1><p>{_text(_about(spec, reference))}</p>",
        _table(comparisons),
        "<h2>Error at each compared step</h2>",
        "<p>Largest error of a step's params, relative to the largest param, over the clips "
        "laid end to end.</p>",
        _figure((10, 2.8), lambda figure: _error_curve(figure, comparisons), "", wide=True),
        "<h2>Free-running, same random numbers</h2>",
        _sample("PyTorch, float32", spec, reference.free.clip.samples),
    ]
    for comparison in comparisons:
        row = comparison.row
        same = verdict_of_samples(comparison)
        parts.append(_sample(f"{row.engine} {row.precision}: {same}", spec, comparison.samples))
    return "\n".join(parts) + "\n</html>\n"


def verdict_of_samples(comparison: Comparison) -> str:
    """How the free-running samples compare, in words."""
    row = comparison.row
    if comparison.fault is not None:
        return f"none: {comparison.fault}"
    if row.first_difference is None:
        return "every sample the same"
    close = ", within float error" if comparison.within_float_error else ""
    return f"first differs at sample {row.first_difference} (margin {short(row.margin)}{close})"


def _about(spec: ModelSpec, reference: Reference) -> str:
    more = more_for_16(spec.output, (clip.samples for clip in reference.clips))
    audio = sum(len(clip.samples) for clip in reference.clips) / spec.sample_rate
    return (
        f"{spec.layers} layers, {spec.residual_channels} residual, {spec.gate_channels} gate and "
        f"{spec.skip_channels} skip channels, {spec.sample_rate} Hz. Held against float32 PyTorch "
        f"on {audio:.1f} s of {reference.material}; PyTorch: {in_words(reference.bits, more)}."
    )


def _table(comparisons: Sequence[Comparison]) -> str:
    head = (
        "engine",
        "precision",
        "max |Δ|",
        "mean",
        "Δ bits per sample",
        "free-running",
        "",
    )
    rows = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    for comparison in comparisons:
        row = comparison.row
        cells = [
            row.engine,
            row.precision,
            short(row.max_error),
            short(row.mean_error),
            signed(row.delta_bits),
            verdict_of_samples(comparison),
        ]
        mark = verdict(row)
        cells_html = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
        rows.append(f"<tr>{cells_html}<td class='{mark}'>{mark}</td></tr>")
    return "<table>" + "".join(rows) + "</table>"


def _sample(title: str, spec: ModelSpec, samples: Samples) -> str:
    if not len(samples):
        return f"<p>{_text(title)}</p>"
    audio, rate = spec.decode(samples[:, None])[:, 0], spec.sample_rate
    player = f"<audio controls src='data:audio/wav;base64,{_wav(audio, rate)}'></audio>"
    return _figure((5, 2.6), lambda figure: _spectrogram(figure, audio, rate), title, player)


def _figure(
    size: tuple[float, float],
    draw: Callable[[Figure], object],
    title: str,
    below: str = "",
    wide: bool = False,
) -> str:
    data = base64.b64encode(figures.drawn(size, draw, "png", dpi=90)).decode()
    caption = f"<figcaption>{_text(title)}</figcaption>" if title else ""
    kind = " class='wide'" if wide else ""
    image = f"<img alt='{_text(title)}' src='data:image/png;base64,{data}'>"
    return f"<figure{kind}>{caption}{image}{below}</figure>"


def _spectrogram(figure: Figure, audio: NDArray[np.float32], sample_rate: int) -> None:
    width = min(256, len(audio))
    hop = max(1, width // 4)
    frames = np.lib.stride_tricks.sliding_window_view(audio, width)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(width))) ** 2
    level = 10 * np.log10(np.maximum(power, 1e-8))  # (frames, bins) dB
    axes = figure.subplots()
    top = float(level.max())
    axes.imshow(
        level.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=top - 80,
        vmax=top,
        extent=(0, len(audio) / sample_rate, 0, sample_rate / 2000),
    )
    axes.set_xlabel("s")
    axes.set_ylabel("kHz")


def _error_curve(figure: Figure, comparisons: Sequence[Comparison]) -> None:
    axes = figure.subplots()
    for comparison in comparisons:
        label = f"{comparison.row.engine} {comparison.row.precision}"
        errors = np.where(np.isfinite(comparison.errors), comparison.errors, np.nan)  # gaps
        axes.semilogy(np.maximum(errors, 1e-9), linewidth=0.7, label=label)
    axes.set_xlabel("compared step")
    axes.grid(visible=True, alpha=0.3)
    if comparisons:
        axes.legend(loc="upper right")


def _wav(audio: NDArray[np.float32], sample_rate: int) -> str:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, audio, sample_rate, format="WAV", subtype="PCM_16")
    return base64.b64encode(file.getvalue()).decode()


def _text(value: str) -> str:
    return html.escape(printable(value), quote=True)
