"""A stream of any length runs in the memory of its first second."""

from __future__ import annotations

import tracemalloc

import wn_runtime
from tests.model_dir import write_model
from tests.specs import CORNERS
from wn_runtime.sinks import FileSink, Recording


def test_memory_does_not_grow_with_the_audio(tmp_path):
    with wn_runtime.open(
        write_model(tmp_path / "voice", CORNERS["one_condition"]), "onnx"
    ) as model:
        stream = model.stream(speaker="ann")
        with Recording(FileSink(tmp_path / "a.wav", model.sample_rate)) as sink:

            def seconds(count):
                for block in stream.blocks(count):
                    sink.write(block)

            seconds(1)
            tracemalloc.start()
            try:
                seconds(1)  # tracemalloc's own tables settle
                before, _ = tracemalloc.get_traced_memory()
                seconds(2)
                after, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert after - before < 4096, f"{after - before} bytes more after 2 s of audio"
