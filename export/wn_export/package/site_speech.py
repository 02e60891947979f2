"""The front end of a voice for a page: the two files that JavaScript reads (wn_export/site/speech).

speech.json has the spec and each word's usual pronunciation, speech.safetensors the weights: as
they are, or in a quarter of the bytes, integers with a scale for each output.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from wn_runtime.engines.quantise import quantise
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import json_file, strict
from wn_runtime.model import weights as canonical
from wn_runtime.speech import dictionary
from wn_runtime.speech.dictionary import Dictionary
from wn_runtime.speech.front_end import FrontEnd
from wn_runtime.speech.spec import SpeechSpec

FORMAT = 1
JSON, WEIGHTS = "speech.json", "speech.safetensors"
PRECISIONS = ("int8", "fp32")

Arrays = dict[str, NDArray[np.float32] | NDArray[np.int8]]


def files_of(front_end: FrontEnd, precision: str = "int8") -> dict[str, bytes]:
    """Name to content. Raises WavestepError for a precision that there is none of."""
    if precision not in PRECISIONS:
        raise WavestepError(unknown("precision", precision, PRECISIONS, "a front end takes"))
    known = front_end.dictionary.pronunciations
    usual = Dictionary({word: some[:1] for word, some in known.items()})
    spec = strict.plain(front_end.spec)
    content = {"format": FORMAT, "spec": spec, "words": usual.written()}
    arrays: Arrays = {}
    for name, array in front_end.weights.items():
        if precision == "int8" and name.endswith(".weight"):
            integers, scale = quantise(array.reshape(-1, array.shape[-1]))
            arrays |= {name: integers.reshape(array.shape), f"{name}.scale": scale}
        else:
            arrays[name] = array
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return {JSON: text.encode(), WEIGHTS: safetensors.numpy.save(arrays)}


def read(files: Mapping[str, bytes]) -> FrontEnd:
    """The front end in such files, in Python: what a page's must equal. Raises WavestepError."""
    content = json_file.loads(files[JSON].decode())
    spec = strict.parse(SpeechSpec, content["spec"], JSON)
    arrays = safetensors.numpy.load(files[WEIGHTS])
    weights = {
        name: array if array.dtype == np.float32 else array * arrays[f"{name}.scale"]
        for name, array in arrays.items()
        if name in spec.shapes()
    }
    canonical.check_shapes(weights, spec.shapes(), WEIGHTS)
    return FrontEnd(spec, weights, dictionary.parse(content["words"], JSON))
