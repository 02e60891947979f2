"""wn-features: a folder of recordings in, the same with frames out."""

from __future__ import annotations

from pathlib import Path

import click

from wn_runtime import extras
from wn_runtime.commands import next_step, say
from wn_runtime.commands.command import command
from wn_runtime.commands.given import a_path
from wn_runtime.errors import WavestepError
from wn_runtime.text import counted

WINDOW_HOPS = 4
"""Hops that a window has where nobody says."""
PITCH_RANGE = 71.0, 800.0


@command()
@click.argument("data", type=a_path)
@click.option(
    "-o", "--output", type=a_path, required=True, help="Folder for frames and metadata.csv."
)
@click.option("--mel", type=int, default=0, metavar="BANDS", help="Log mel spectrum: bands.")
@click.option("--level", is_flag=True, help="Log root mean square.")
@click.option("--pitch", is_flag=True, help="ln F0 and voicing; needs pyworld.")
@click.option("--hop", type=int, metavar="SAMPLES", help="Frame to frame; default: 10 ms.")
@click.option("--window", type=int, metavar="SAMPLES", help="Default: four hops.")
@click.option("--low", type=float, default=0.0, metavar="HZ", help="Where the mel bands begin.")
@click.option("--high", type=float, default=0.0, metavar="HZ", help="Where they end; 0: the top.")
@click.option(
    "--pitch-range",
    type=(float, float),
    default=PITCH_RANGE,
    metavar="HZ HZ",
    show_default=True,
    help="Where a voice's pitch may lie.",
)
@click.option(
    "--normalise",
    "level_db",
    type=click.FloatRange(-60, 0),
    is_flag=False,
    flag_value=-20.0,
    metavar="[DB]",
    help="Bring every recording's speech to this level (-20 dB of full scale), by a gain in "
    "metadata.csv that wn-train reads.",
)
@click.option(
    "--text",
    metavar="COLUMN",
    help="Phones with durations, by forced alignment of every recording with its words in this "
    "column of metadata.csv; needs pocketsphinx.",
)
@click.option(
    "--labels",
    type=a_path,
    metavar="DIR",
    help="Phones from HTS label files, RECORDING.lab, in place of alignment.",
)
@click.option(
    "--dictionary",
    type=a_path,
    metavar="FILE",
    help="Pronunciations, lines of `word P H O N E S`. Default: CMU's, of American English.",
)
@click.option(
    "--all-words",
    is_flag=True,
    help="A voice can say all words of the dictionary that are made of its phones, not those of "
    "the corpus alone.",
)
@click.option(
    "--join",
    type=click.IntRange(1, 1000),
    default=1,
    metavar="N",
    help="Join recordings of single words, N to one, in noise of their room.",
)
@click.option("--seed", default=0, show_default=True, help="Of what is joined.")
@click.option("--sample-rate", type=int, metavar="HZ", help="Default: that of most recordings.")
@click.option("--plot", type=click.IntRange(0), default=0, metavar="N",
              help="Draw the first N recordings with what was extracted.")  # fmt: skip
def main(
    data: Path,
    output: Path,
    mel: int,
    level: bool,
    pitch: bool,
    hop: int | None,
    window: int | None,
    low: float,
    high: float,
    pitch_range: tuple[float, float],
    level_db: float | None,
    text: str | None,
    labels: Path | None,
    dictionary: Path | None,
    all_words: bool,
    join: int,
    seed: int,
    sample_rate: int | None,
    plot: int,
) -> None:
    """Extract frames for local conditioning from the recordings in DATA.

    DATA is a folder as wn-train takes it, and stays as it is; OUTPUT is one, too.
    """
    from wn_runtime.features.features import Features
    from wn_runtime.features.pitch import need as need_pyworld
    from wn_train.data import rates
    from wn_train.features import folder
    from wn_train.features.phones import Script

    given = folder.source(data, text or "")
    rate = rates.most_common(given.headers) if sample_rate is None else sample_rate
    try:
        _check_needed("--mel", mel > 0, **{"--low": low, "--high": high})
        _check_needed("--pitch", pitch, **{"--pitch-range": pitch_range != PITCH_RANGE})
        hop = round(0.01 * rate) if hop is None else _checked_hop(hop, window)
        features = Features(
            sample_rate=rate,
            hop=hop,
            window=WINDOW_HOPS * hop if window is None else window,
            mel=mel,
            low_hz=low,
            high_hz=high,
            level=level,
            pitch=pitch,
            pitch_low_hz=pitch_range[0],
            pitch_high_hz=pitch_range[1],
        )
        spoken = (text, labels, dictionary, all_words or None)
        script = None
        if any(given is not None for given in spoken):
            script = Script(text or "", dictionary, labels, all_words)
        wanted = folder.Wanted(features, level_db, script, join, seed, plot)
    except ValueError as error:
        raise WavestepError(f"{error}; see wn-features --help") from error
    if pitch:
        need_pyworld()
    if plot:
        _need_matplotlib()
    from wn_train.features.plot import picture

    count, features = folder.write(given, output, wanted, picture, say.note)
    made = f"{counted(count, 'recording')}, {counted(len(features.names), 'column')}"
    say.line(f"{made} every {hop} samples: {output}")
    following = next_step.line("wn-train", output, "-o", "RUN", "--config", "FILE.toml")
    tables = "tables [model.frames] and [speech]" if features.phones else "a table [model.frames]"
    say.line(f"{following}, with {tables} in FILE.toml")


def _check_needed(option: str, given: bool, **others: object) -> None:
    """Raise ValueError for any of the others that was given, and the option was not."""
    for name, value in others.items():
        if value and not given:
            raise ValueError(f"{name} has no effect without {option}; give both, or neither")


def _checked_hop(hop: int, window: int | None) -> int:
    from wn_runtime.features.mel import MOST_WINDOW

    most = MOST_WINDOW // WINDOW_HOPS
    if window is None and not 1 <= hop <= most:
        raise ValueError(f"hop is {hop}; it must be 1 to {most} samples, or have a --window")
    return hop


def _need_matplotlib() -> None:
    from wn_train import figures

    try:
        figures.load()
    except ImportError as error:
        raise WavestepError(
            f"--plot needs matplotlib ({error}); {extras.install_features()}"
        ) from error


if __name__ == "__main__":
    main()
