"""PyTorch's answers are PyTorch's: in chunks as in one pass, and whoever drafted the free run."""

import dataclasses

import numpy as np
import pytest
import torch

from tests import model_dir, specs
from tests.export.checkpoints import random_wavenet, write_checkpoint
from wn_export.package.canonical import canonical_weights
from wn_export.parity import pytorch
from wn_export.parity.pytorch import Trained
from wn_runtime.engines.engine import open_engine
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.sampling import Uniforms

SPEC = specs.CORNERS["two_conditions"]
CONDITIONS = {"speaker": "eve", "mood": "calm"}


def trained(spec=SPEC):
    model = random_wavenet(spec)
    model.requires_grad_(False)
    return Trained("voice", model, canonical_weights(model, "test"), {}, ())


class Liar:
    """Drafts the true samples with some changed, then others; counts how often it is asked."""

    def __init__(self, truth, lies):
        self.truth, self.lies, self.asked, self.heard = truth, lies, 0, 0

    def reset(self):
        self.heard = 0

    def score(self, samples, bias):
        self.heard = len(samples)

    def generate(self, bias, uniforms):
        self.asked += 1
        draft = self.truth[self.heard :].copy()
        for lie in self.lies:
            if lie >= self.heard:
                draft[lie - self.heard] ^= 1
        return draft[:, None]


def by_steps(model, steps=150):
    given = pytorch.conditions_of(model, CONDITIONS)
    return pytorch.step_by_step(model.model, given, Uniforms(3, 1).draw(steps))


@pytest.mark.parametrize("lies", [[], [0], [40, 41, 149], list(range(150))])
def test_a_free_run_is_what_step_generates_whatever_the_draft(lies):
    model = trained()
    truth = by_steps(model)
    liar = Liar(truth, lies)
    run = pytorch.free_run(model, CONDITIONS, 150, liar, seed=3)
    np.testing.assert_array_equal(run.samples, truth)
    assert liar.asked == min(len(lies) + 1, pytorch.REPAIRS)


def test_a_free_run_drafted_by_the_step_graph_is_accepted_at_once(tmp_path, monkeypatch):
    model = trained(dataclasses.replace(SPEC, conditions=()))
    monkeypatch.setattr(model_dir, "random_weights", lambda spec, seed: dict(model.weights))
    draft = open_engine(model_dir.write_model(tmp_path / "voice", model.model.spec), "onnx")
    monkeypatch.setattr(pytorch, "REPAIRS", 1)
    monkeypatch.setattr(pytorch, "step_by_step", lambda *given: pytest.fail("draft was refused"))
    run = pytorch.free_run(model, {}, 500, draft, seed=1)
    assert len(np.unique(run.samples)) > 3


def test_scores_in_chunks_equal_one_pass(monkeypatch):
    model = trained().model
    codes = specs.random_samples(SPEC, 200, 1)[:, 0]
    given = {"speaker": torch.tensor([1])}
    with torch.no_grad():
        whole = model(torch.from_numpy(codes.astype(np.int64))[None], given)[0].numpy()
    monkeypatch.setattr(pytorch, "CHUNK", 48)
    np.testing.assert_allclose(pytorch.score(model, codes, given), whole, atol=2e-5)


def test_a_checkpoint_gives_its_averaged_weights_or_its_raw_ones(tmp_path):
    path = write_checkpoint(tmp_path / "voice.pt", SPEC)
    averaged, raw = pytorch.load(path), pytorch.load(path, raw=True)
    assert averaged.name == "voice"
    assert averaged.source == {
        "checkpoint": "voice.pt", "weights": "ema", "step": 1234, "valid_bits": 3.5,
        "attribution": "someone's data, CC0",
    }  # fmt: skip
    assert raw.source["weights"] == "raw"
    assert not np.array_equal(averaged.weights["input.weight"], raw.weights["input.weight"])
    assert [excerpt.conditions["speaker"] for excerpt in averaged.excerpts] == ["ann", "bob", "eve"]


def test_a_checkpoint_whose_weights_are_not_its_specs_is_refused(tmp_path):
    path = write_checkpoint(tmp_path / "voice.pt", SPEC)
    data = torch.load(path, weights_only=True)
    data["spec"]["skip"] += 1
    torch.save(data, path)
    with pytest.raises(WavestepError, match=r"voice\.pt: the weights are not its spec's \(size"):
        pytorch.load(path)


def test_a_released_checkpoint_has_no_raw_weights(tmp_path):
    path = write_checkpoint(tmp_path / "voice.pt", SPEC)
    data = torch.load(path, weights_only=True)
    data["model"] = {}
    torch.save(data, path)
    pytorch.load(path)
    with pytest.raises(WavestepError, match="holds no raw weights; export it without --raw"):
        pytorch.load(path, raw=True)


def test_without_excerpts_pytorchs_own_samples_are_the_material():
    model = trained(dataclasses.replace(SPEC, sample_rate=100))
    given = pytorch.conditions_of(model, {"speaker": "ann", "mood": "calm"})
    truth = pytorch.step_by_step(model.model, given, Uniforms(0, 1).draw(200))
    made = pytorch.make_reference(model, [], "", Liar(truth, []))
    assert made.material.startswith("free-running samples")
    np.testing.assert_array_equal(made.excerpts[0].codes, made.free.samples)
    assert len(made.free.samples) == 200
