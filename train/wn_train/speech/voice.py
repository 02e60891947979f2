"""The front end of a run: learned from its recordings, and then heard by its WaveNet.

The WaveNet is trained on the mel bands that the front end makes of each recording's phones, level
and pitch, not on the recording's own: they are what it will speak from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from wn_runtime.conditioning.spec import Condition
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.speech import dictionary as dictionaries
from wn_runtime.speech.front_end import FrontEnd
from wn_runtime.speech.spec import SpeechSpec
from wn_train.checkpoint import Speech
from wn_train.conditioning.statistics import statistics
from wn_train.config import Config
from wn_train.data.audio import Utterance
from wn_train.features.folder import DICTIONARY
from wn_train.speech.config import SpeechConfig
from wn_train.speech.learning import Spoken, learn
from wn_train.training.precision import in_bf16


def learned(
    settings: Config,
    conditions: Sequence[Condition],
    utterances: Sequence[Utterance],
    data: Path,
    check: Callable[[], None],
) -> Speech:
    """The front end of a corpus's training split.

    Raises WavestepError where the frames hold no phones, level and pitch, for a folder without a
    dictionary, and for a speaker that is no condition. check may raise: to stop.
    """
    config, features = settings.speech, settings.features
    assert config is not None
    if features is None or not (features.phones and features.level and features.pitch):
        raise WavestepError(
            f"[speech] takes frames with phones, level and pitch, and {data} has none; make them "
            "with wn-features --text COLUMN --level --pitch"
        )
    words = dictionaries.read(data / DICTIONARY)
    who = _who(config.speaker, conditions)
    try:
        spec = SpeechSpec(
            features=features,
            speaker=who.name if who else "",
            speakers=who.values if who else (),
            gaps=config.gaps,
            channels=config.channels,
            layers=config.layers,
            width=config.width,
        )
    except ValueError as error:
        raise WavestepError(f"{data}: with these frames {error}") from error
    spoken = [
        Spoken(u.frames, _speaker(u, who))
        for u in utterances
        if u.recording.split == "train" and u.frames is not None
    ]
    bf16 = in_bf16(settings.training.precision, torch.device("cpu"))
    weights = learn(spec, spoken, config, settings.training.seed, bf16, check)
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    return Speech(spec, tensors, words.written())


def heard(speech: Speech, utterances: Sequence[Utterance]) -> list[Utterance]:
    """The utterances with the front end's mel bands in place of their own."""
    front_end = of(speech)
    features = speech.spec.features
    if not features.mel:
        return list(utterances)
    who = None
    if speech.spec.speaker:
        who = Condition(speech.spec.speaker, "categorical", speech.spec.speakers)
    found = []
    for utterance in utterances:
        assert utterance.frames is not None
        prosody, rows = np.split(utterance.frames[:, features.mel :], [3], axis=1)
        bands = front_end.spectrum(rows, prosody, _speaker(utterance, who))
        found.append(
            dataclasses.replace(utterance, frames=np.concatenate([bands, prosody, rows], axis=1))
        )
    training = [u.frames for u in found if u.recording.split == "train" and u.frames is not None]
    mean, _ = statistics(training)
    return [dataclasses.replace(utterance, padding=mean) for utterance in found]


def of(speech: Speech) -> FrontEnd:
    """A checkpoint's front end, to be asked."""
    weights = {name: tensor.float().numpy() for name, tensor in speech.weights.items()}
    return FrontEnd(
        speech.spec, weights, dictionaries.parse(speech.dictionary, "the checkpoint's dictionary")
    )


def _who(name: str, conditions: Sequence[Condition]) -> Condition | None:
    """The condition that says who speaks; only the one that nobody asked for may be missing."""
    found = next((c for c in conditions if c.name == name), None)
    if found is None and name != SpeechConfig.speaker:
        names = [c.name for c in conditions]
        raise WavestepError(
            f"[speech] speaker: {unknown('condition', name, names, 'the model has')}; name one of "
            "them, or leave speaker out"
        )
    return found


def _speaker(utterance: Utterance, who: Condition | None) -> int:
    """The index of who speaks. Raises WavestepError where a recording does not say."""
    if who is None:
        return 0
    value = utterance.recording.values.get(who.name, "")
    if not value:
        raise WavestepError(f"{utterance.recording.path} does not say its {who.name}; fill it in")
    return who.index(value)
