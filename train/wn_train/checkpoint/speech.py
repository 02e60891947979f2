"""The front end of a checkpoint: what makes its model's frames of a text."""

from __future__ import annotations

from typing import Any

from wn_runtime.errors import WavestepError
from wn_runtime.model import strict
from wn_runtime.model.spec import ModelSpec
from wn_runtime.speech import dictionary
from wn_runtime.speech.spec import SpeechSpec
from wn_train.checkpoint import weights


def check(given: Any, model: ModelSpec, where: str) -> dict[str, Any]:
    """Its parts, whose tensors are not read yet; empty for a model that does not speak.

    Raises WavestepError for what is no front end, and for that of another model.
    """
    if given is None or given == {}:
        return {}
    if not isinstance(given, dict) or set(given) != {"spec", "weights", "dictionary"}:
        raise WavestepError(f"{where}: expected spec, weights and dictionary")
    spec = strict.parse(SpeechSpec, given["spec"], f"{where}: spec")
    spec.check(model, where)
    if not isinstance(given["dictionary"], str):
        raise WavestepError(f"{where}: dictionary is no text")
    dictionary.parse(given["dictionary"], f"{where}: dictionary")
    tensors = weights.check(given["weights"], spec.shapes(), f"{where}: weights")
    return {"spec": spec, "weights": tensors, "dictionary": given["dictionary"]}
