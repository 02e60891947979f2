"""Every engine beside what other projects' code answered: the table of docs/importing.md.

    python -m bench.peers.importers VECTORS

VECTORS holds a folder for each model: checkpoint.*, its settings as .json, and vectors.npz (`x`,
`params`, and `frames`, `speaker` where there are any), as `wn-import --verify` takes them.
"""

from __future__ import annotations

from pathlib import Path

import click

from wn_export.parity import vectors
from wn_export.parity.vectors import Row
from wn_train.importers import reading
from wn_train.importers.imported import ALIGNMENTS
from wn_train.network.canonical import load_canonical
from wn_train.network.wavenet import WaveNet

FLOATS = ("pytorch fp32", "onnx fp32", "native fp32")
OTHERS = ("onnx fp16", "native int8")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(folder: Path) -> None:
    """Import each as it generates and as it trains, and print the worse of both."""
    heads = [*(f"{name}, max\\|Δ\\|" for name in FLOATS), *(f"{name}, Δ bits" for name in OTHERS)]
    print("| model | " + " | ".join(heads) + " | |")
    print("|---" * (len(heads) + 2) + "|")
    for model in sorted(path for path in folder.iterdir() if (path / "vectors.npz").exists()):
        rows: dict[str, list[Row]] = {}
        for alignment in ALIGNMENTS:
            for row in _rows(model, alignment):
                rows.setdefault(f"{row.engine} {row.precision}", []).append(row)
        cells = [f"{max(row.max_error for row in rows[name]):.1e}" for name in FLOATS]
        for name in OTHERS:
            worst = max((row.delta_bits for row in rows[name]), key=abs)
            cells.append(f"{round(worst, 4) + 0.0:+.4f}")
        passed = all(row.passed for each in rows.values() for row in each)
        print(f"| {model.name} | " + " | ".join(cells) + f" | {'PASS' if passed else 'FAIL'} |")


def _rows(model: Path, alignment: str) -> list[Row]:
    source = next(model.glob("checkpoint.*"))
    settings = next(model.glob("*.json"), None)
    imported, _ = reading.convert(source, None, settings, (), alignment, None)
    network = WaveNet(imported.spec)
    load_canonical(network, imported.weights)
    network.eval().requires_grad_(False)
    given = vectors.read(model / "vectors.npz", imported)
    found = vectors.verify(imported, network, given)
    return [row for row in found if isinstance(row, Row)]


if __name__ == "__main__":
    main()
