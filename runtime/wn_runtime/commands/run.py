"""wn-run: stream audio from a model to a file, a loudspeaker or a pipe."""

from __future__ import annotations

import math
from pathlib import Path

import click

from wn_runtime.commands import complete, say
from wn_runtime.commands import conditions as named
from wn_runtime.commands import frames as local
from wn_runtime.commands import text as spoken_text
from wn_runtime.commands.command import command
from wn_runtime.commands.destination import Destination
from wn_runtime.commands.given import a_path
from wn_runtime.commands.progress import Clock, progress, seconds_since_start
from wn_runtime.conditioning.conditioner import Values
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.cache import entries as cache
from wn_runtime.engines.code import trust_code
from wn_runtime.errors import WavestepError
from wn_runtime.log import log
from wn_runtime.output.sinks import finishing
from wn_runtime.synthesis import model as models
from wn_runtime.synthesis.model import Model
from wn_runtime.synthesis.stream import check_seconds

DEFAULT_SECONDS = 2.0


@command()
@click.argument("model", type=a_path)
@click.option(
    "--speaker",
    metavar="NAME|INDEX",
    help="Short for --set speaker=…",
    shell_complete=complete.values_of("speaker"),
)
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    shell_complete=complete.settings,
    help="A condition of the model, as --set digit=7; one value for all voices of a batch, or "
    "one each: a,b,c. Tags are joined by +.",
)
@click.option(
    "--tag",
    "tags",
    metavar="NAME",
    multiple=True,
    shell_complete=complete.tags,
    help="A tag of the model, for all voices; give it again for another: --tag piano --tag slow.",
)
@click.option(
    "--frames",
    metavar="FILE|-",
    help="Frames of a model that takes them: a .npy file (for voices of a batch one each: "
    "a.npy,b.npy), or - for rows of raw little-endian float32 on stdin, as they come.",
)
@click.option(
    "--text",
    metavar="TEXT|-",
    help="What a model that speaks is to say; - reads it from stdin.",
)
@click.option(
    "--rate", default=1.0, show_default=True, help="How fast it speaks: 2 is twice as fast."
)
@click.option(
    "--dictionary",
    type=a_path,
    metavar="FILE",
    help="More words that it can say, lines of `word P H O N E S`, or others for its own.",
)
@click.option(
    "--seconds",
    type=float,
    help="Audio to make; inf: until Ctrl-C. Default: 2, or as long as the frames last.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same audio.")
@click.option(
    "--temperature",
    type=float,
    help="0 always takes the likeliest sample; default: the model's own, 1 where it has none.",
)
@click.option("--batch", default=1, show_default=True, help="Voices made side by side.")
@click.option(
    "--engine",
    help="Take this engine and no other; default: the fastest that runs.",
    shell_complete=complete.engines,
)
@click.option(
    "--precision",
    help="fp32, fp16, bf16 or int8; default: the engine's own.",
    shell_complete=complete.precisions,
)
@click.option(
    "--threads",
    type=int,
    help="CPU threads, each on a core of its own; default: as many as are fastest here.",
)
@click.option(
    "-o",
    "--output",
    type=a_path,
    metavar="FILE",
    help="A .wav or .flac file (voices of a batch: FILE-0, FILE-1, …), or - for raw PCM on "
    "stdout. Default: the model's name with .wav.",
)
@click.option(
    "--raw",
    type=a_path,
    metavar="FILE",
    help="Raw 16-bit little-endian PCM to a file, or to stdout (-), voices interleaved there.",
)
@click.option("--play", is_flag=True, help="Play on the default loudspeaker; beside -o and --raw.")
@click.option(
    "--trust",
    is_flag=True,
    help="Trust the code in MODEL's directory (libraries compiled ahead, plans), now and later.",
)
def main(
    model: Path,
    speaker: str | None,
    settings: tuple[str, ...],
    tags: tuple[str, ...],
    frames: str | None,
    text: str | None,
    rate: float,
    dictionary: Path | None,
    seconds: float | None,
    seed: int,
    temperature: float | None,
    batch: int,
    engine: str | None,
    precision: str | None,
    threads: int | None,
    output: Path | None,
    raw: Path | None,
    play: bool,
    trust: bool,
) -> None:
    """Stream audio from MODEL, a directory that wn-export made, or a graph or plan in it."""
    if seconds is None:
        seconds = DEFAULT_SECONDS if frames is None and text is None else math.inf
    check_seconds(seconds)
    conditions = named.given(speaker, settings)
    if trust:
        for file in trust_code(model):
            say.note(f"trusted from now on: {file}")

    compiled = cache.seconds_making
    with models.open(model, engine, precision, batch, threads, say=say.note) as opened:
        place = Destination(output, raw, play, opened.name)
        timing = Timing.of(opened.spec.conditioning)
        conditions |= named.tagged(opened.spec, tags, conditions)
        given = _given(opened, frames, text, rate, dictionary, conditions)
        stream = opened.begin(conditions, seed, temperature)
        clock = Clock(opened.sample_rate, batch)
        log.info("loaded after %.0f ms", 1000 * seconds_since_start())
        if frames == "-":
            blocks = local.streamed(stream, timing, seconds, clock.waiting)
        else:
            if given is not None:
                stream.push(given, last=True)
                seconds = min(seconds, len(given) * timing.hop / opened.sample_rate)
            blocks = stream.blocks(seconds)
        sink, where = place.open(opened.sample_rate, batch)

        def report() -> None:
            how = f"{opened.engine} {opened.precision}, {opened.note}"
            took = cache.seconds_making - compiled
            say.line(f"{how} · {clock.report(took)} → {where}", err=place.takes_stdout)

        samples = None if math.isinf(seconds) else round(seconds * opened.sample_rate)
        try:
            with stream, finishing(sink), progress(samples, opened.sample_rate) as advance:
                for line in named.left_out(opened.spec, conditions):
                    say.note(line)
                try:
                    for block in clock.timed(blocks):
                        sink.write(block)
                        advance(len(block))
                except local.BrokenOff:
                    sink.close()
                    raise
        except (KeyboardInterrupt, local.BrokenOff):
            if clock.samples:
                report()
            raise
        except BrokenPipeError:  # its reader has heard enough: no news, but where there is a file
            if clock.samples and place.is_file:
                report()
            raise
        report()
        if place.speaker is not None and place.speaker.underruns:
            say.note(
                f"the loudspeaker ran dry {place.speaker.underruns} times: this is slower than "
                "real time here; write a file with -o"
            )


def _given(
    model: Model,
    frames: str | None,
    text: str | None,
    rate: float,
    dictionary: Path | None,
    conditions: dict[str, Values],
) -> Frames | None:
    """All frames (F, B, C) that are there before the first sample; None: they come on stdin."""
    if text is None:
        if rate != 1 or dictionary is not None:
            raise WavestepError("--rate and --dictionary are for --text; give a text to say")
        timing = Timing.of(model.spec.conditioning)
        local.check(frames, timing, model.front_end is not None)
        return None if frames in (None, "-") else local.read(frames, timing, model.batch)
    if frames is not None:
        raise WavestepError("--text and --frames exclude one another; give one")
    return models.spoken(
        models.with_words(model.front_end, dictionary),
        spoken_text.read(text),
        rate,
        conditions,
        model.batch,
    )


if __name__ == "__main__":
    main()
