"""The HTML of the page: verdict, facts, table, sounds, and how to read them."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wn_export.bench.machine import machine_facts
from wn_export.parity.page import pictures, words
from wn_export.parity.report import short, signed, verdict
from wn_runtime.text import printable
from wn_train import figures

if TYPE_CHECKING:
    from wn_export.parity.expected import Reference
    from wn_export.parity.prove import Proof
    from wn_runtime.heads.head import Samples
    from wn_runtime.model.manifest import Manifest
    from wn_runtime.model.spec import ModelSpec

Audio = NDArray[np.float32]
_STYLE = Path(__file__).with_name("page.css")
_COLUMNS = ("engine", "precision", "max |Δ|", "mean |Δ|", "Δ bits", "free-running", "")
_NUMBERS = range(2, 5)
"""Columns of numbers."""
_WORDS = 5
"""The column of a sentence."""


def page(manifest: Manifest, proof: Proof) -> str:
    """The page. Raises ImportError without matplotlib."""
    figures.load()
    name = _text(manifest.name)
    mark = "PASS" if proof.passed else "FAIL"
    lines = "".join(f"<p>{_text(line)}</p>" for line in words.reasons(proof))
    facts = "".join(
        f"<dt>{_text(key)}</dt><dd>{_text(value)}</dd>"
        for key, value in words.facts(manifest, proof, machine_facts())
    )
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{name}: parity {mark}</title><style>{_STYLE.read_text('utf-8')}</style></head>",
        f"<body><h1>{name}</h1>",
        f"<div class='verdict {mark}'><strong>{mark}</strong> {_text(words.headline(proof))}"
        f"{lines}</div>",
        f"<dl>{facts}</dl>",
        "<h2>Engines</h2>",
        _table(proof),
        "<h2>Heard: from silence, with the same random numbers</h2>",
        _sounds(manifest.spec, proof),
        "<h2>Error at each compared step</h2>",
        "<p>Largest error of a step's parameters, relative to the largest parameter, over the "
        "clips laid end to end.</p>",
        f"<figure><img alt='Error of each engine at each step' "
        f"src='{pictures.errors(proof.comparisons)}'></figure>",
        "<h2>How to read this</h2>",
        *(
            f"<details><summary>{_text(title)}</summary><p>{_text(said)}</p></details>"
            for title, said in words.EXPLAINED
        ),
    ]
    return "\n".join(parts) + "\n</body></html>\n"


def _table(proof: Proof) -> str:
    def cell(column: int, content: str, tag: str) -> str:
        kind = " class='number'" if column in _NUMBERS else " class='words'" * (column == _WORDS)
        return f"<{tag}{kind}>{_text(content)}</{tag}>"

    rows = ["<tr>" + "".join(cell(i, c, "th") for i, c in enumerate(_COLUMNS)) + "</tr>"]
    for comparison in proof.comparisons:
        row, mark = comparison.row, verdict(comparison.row)
        cells = [row.engine, row.precision, short(row.max_error), short(row.mean_error)]
        cells += [signed(row.delta_bits), words.of_samples(comparison)]
        shown = "".join(cell(i, c, "td") for i, c in enumerate(cells))
        rows.append(f"<tr>{shown}<td class='{mark}'>{mark}</td></tr>")
    for conditioner in proof.conditioners:
        mark = "PASS" if conditioner.passed else "FAIL"
        cells = ["bias", conditioner.name, short(conditioner.max_error), "", "", ""]
        shown = "".join(cell(i, c, "td") for i, c in enumerate(cells))
        rows.append(f"<tr>{shown}<td class='{mark}'>{mark}</td></tr>")
    return f"<div class='scroll'><table>{''.join(rows)}</table></div>"


def _sounds(spec: ModelSpec, proof: Proof) -> str:
    """The recording, PyTorch, and every engine: what was generated all on one scale of time."""
    reference, rate = proof.reference, spec.sample_rate
    free = reference.free.clip
    made = [("PyTorch float32", "what all are held against", _decoded(spec, free.samples))]
    for each in proof.comparisons:
        name = f"{each.row.engine} {each.row.precision}"
        made.append((name, words.of_samples(each), _decoded(spec, each.samples)))
    start, end = pictures.heard([audio for _, _, audio in made], rate)
    sounds = [_Sound(title, below, audio, audio[start:end]) for title, below, audio in made]
    recorded = recording(reference)
    if recorded is not None:
        audio = _decoded(spec, recorded)
        start, end = pictures.heard([audio], rate)
        below = f"held back from training: {words.conditions(free.conditions)}"
        sounds.insert(0, _Sound("Recording", below, audio, audio[start:end]))
    loudest = [pictures.levels(each.shown, rate).max() for each in sounds if len(each.shown)]
    top = float(max(loudest, default=0.0))
    return f"<div class='sounds'>{''.join(each.figure(rate, top) for each in sounds)}</div>"


@dataclass(frozen=True)
class _Sound:
    """Something to hear, and the part of it to see."""

    title: str
    below: str
    audio: Audio
    shown: Audio

    def figure(self, rate: int, top: float) -> str:
        """Its HTML. top: see `pictures.spectrogram`."""
        caption = f"<figcaption>{_text(self.title)}<span>{_text(self.below)}</span></figcaption>"
        if not len(self.shown):
            return f"<figure>{caption}</figure>"
        image = pictures.spectrogram(self.shown, rate, top)
        return (
            f"<figure>{caption}<img alt='Spectrogram: {_text(self.title)}' src='{image}'>"
            f"<audio controls src='data:audio/wav;base64,{_wav(self.audio, rate)}'></audio>"
            "</figure>"
        )


def recording(reference: Reference) -> Samples | None:
    """A clip of the same conditions as what is generated; None where there is none."""
    wanted = dict(reference.free.clip.conditions)
    alike = (clip.samples for clip in reference.clips if dict(clip.conditions) == wanted)
    return next(alike, None)


def _decoded(spec: ModelSpec, samples: Samples) -> Audio:
    audio: Audio = spec.decode(samples[:, None])[:, 0]
    return audio


def _wav(audio: Audio, sample_rate: int) -> str:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, audio, sample_rate, format="WAV", subtype="PCM_16")
    return base64.b64encode(file.getvalue()).decode()


def _text(value: str) -> str:
    return html.escape(printable(value), quote=True)
