"""A stream of any length runs in the memory of its first second."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_runtime.output.sinks import FileSink, finishing


def test_memory_does_not_grow_with_the_audio(tmp_path: Path) -> None:
    directory = write_model(tmp_path / "voice", CORNERS["one_condition"])
    with (
        wn_runtime.open(directory, "onnx") as model,
        model.stream(speaker="ann") as stream,
        finishing(FileSink(tmp_path / "a.wav", model.sample_rate)) as sink,
    ):

        def seconds(count: int) -> None:
            for block in stream.blocks(count):
                sink.write(block)

        seconds(1)
        tracemalloc.start()
        try:
            seconds(1)  # what is made once is made now
            before, _ = tracemalloc.get_traced_memory()
            seconds(3)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # A byte a sample would be 24,000.
    assert after - before < 8192, f"{after - before} bytes more after 3 s of audio"
