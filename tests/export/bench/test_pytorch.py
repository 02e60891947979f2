"""PyTorch's two ways of generation make the model's samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.export.checkpoints import trained_of, write_checkpoint
from tests.models.specs import CORNERS, PLAIN
from wn_export.bench.pytorch import INCREMENTAL, WINDOW, Incremental, Window, torch_generators
from wn_export.parity.free_run import step_by_step
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.synthesis.uniforms import uniforms

TRAINED = trained_of(CORNERS["one_condition"])
FIRST = {"speaker": "ann"}


def test_the_window_goes_on_as_the_steps_do() -> None:
    field = TRAINED.model.spec.receptive_field
    drawn = uniforms(1, 1, field + 40)
    expected = step_by_step(TRAINED, FIRST, None, drawn)
    samples = Incremental(TRAINED, drawn[:field])()[:, 0]
    np.testing.assert_array_equal(samples, expected[:field])
    window = Window(TRAINED, drawn[field:], history=samples)
    np.testing.assert_array_equal(window()[:, 0], expected[field:])


def test_incremental_pytorch_keeps_its_state_between_blocks() -> None:
    drawn = np.tile(uniforms(1, 1, 10), (3, 1, 1))
    expected = step_by_step(TRAINED, FIRST, None, drawn)
    block = Incremental(TRAINED, drawn[:10])
    made = np.concatenate([block()[:, 0] for _ in range(3)])
    np.testing.assert_array_equal(made, expected)


def test_both_are_generators_of_one_stream(tmp_path: Path) -> None:
    spec = CORNERS["one_condition"]
    checkpoint = write_checkpoint(tmp_path / "voice.pt", spec)
    manifest = Manifest(manifests.FORMAT, "voice", spec, {})
    steps, window = torch_generators(checkpoint, manifest, threads=1)
    assert (steps.engine, steps.batch, steps.block) == (INCREMENTAL, 1, 80)
    assert (window.engine, window.batch, window.block) == (WINDOW, 1, 1), "too slow for 10 ms"


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "other.pt", PLAIN)
    manifest = Manifest(manifests.FORMAT, "voice", CORNERS["one_condition"], {})
    with pytest.raises(WavestepError, match=r"other\.pt is another model than voice"):
        torch_generators(checkpoint, manifest, threads=1)
