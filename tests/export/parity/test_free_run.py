"""The free run is PyTorch's own, sample by sample, whoever drafted it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.export.checkpoints import trained_of
from tests.law.numpy_engine import NumpyEngine
from tests.models import specs
from wn_export.package.graph_files import STEP, write_models
from wn_export.parity import free_run
from wn_export.parity.trained import Trained
from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.choice import open_in
from wn_runtime.heads.head import Samples
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.state import State
from wn_runtime.synthesis.uniforms import uniforms

SPEC = specs.CORNERS["two_conditions"]
CONDITIONS = {"speaker": "eve", "mood": "calm"}
STEPS = 150


class Liar(NumpyEngine):
    """Drafts the true samples with some changed; counts how often it is asked."""

    def __init__(self, model: Trained, truth: Samples, lies: Sequence[int] = ()) -> None:
        super().__init__(model.model.spec, model.weights)
        self.drafts, self._position = 0, 0
        self._draft = truth.copy()
        self._draft[list(lies)] ^= 1

    def _restore(self, state: State) -> None:  # a reset: a draft begins
        self.drafts, self._position = self.drafts + 1, 0

    def _score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        self._position += len(samples)
        return np.zeros((*samples.shape, self.spec.output.params), np.float32)

    def _generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse_temperature: NDArray[np.float32]
    ) -> Samples:
        start, self._position = self._position, self._position + len(uniforms)
        return self._draft[start : self._position, None]


def by_steps(model: Trained, steps: int = STEPS, seed: int = 3) -> Samples:
    return free_run.step_by_step(model, CONDITIONS, None, uniforms(seed, 1, steps))


@pytest.mark.parametrize("lies", [[], [0], [40, 41, 149], list(range(STEPS))])
def test_a_free_run_is_what_step_generates_whatever_the_draft(
    lies: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_run, "BLOCK", 64)  # samples of one call of the draft's
    model = trained_of(SPEC)
    truth = by_steps(model)
    liar = Liar(model, truth, lies)
    run = free_run.free_run(model, CONDITIONS, None, STEPS, liar, seed=3)
    np.testing.assert_array_equal(run.clip.samples, truth)
    assert (run.clip.conditions, run.seed) == (CONDITIONS, 3)
    assert liar.drafts == min(len(lies) + 1, free_run.REPAIRS)


def test_a_free_run_drafted_by_the_step_graph_is_accepted_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained_of(specs.PLAIN)
    manifest = Manifest(manifests.FORMAT, "voice", specs.PLAIN, {})
    write_models(tmp_path, manifest, model.weights, STEP)
    draft = open_in(ModelPackage(tmp_path), None, "onnx")

    def refused(*given: object) -> NoReturn:
        pytest.fail("the draft was refused")

    monkeypatch.setattr(free_run, "REPAIRS", 1)
    monkeypatch.setattr(free_run, "step_by_step", refused)
    run = free_run.free_run(model, {}, None, 500, draft, seed=1)
    assert len(np.unique(run.clip.samples)) > 3
