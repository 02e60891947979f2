"""Beginning with what another model has learned: its weights, where names and shapes agree.

A voice for a new speaker, or a vocoder after a voice: the network itself is most of what there is
to learn, and the conditioners are learned anew where they are others.
"""

from __future__ import annotations

from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_train import checkpoint
from wn_train.network.wavenet import WaveNet


def begin(model: WaveNet, path: Path) -> str:
    """Take over the averaged weights of a checkpoint, and say how many in one line.

    Call it after `WaveNet.fit`: what that takes from the data is replaced only together with the
    weights that go with it. Raises WavestepError for a file that is no checkpoint, and where
    nothing fits.
    """
    given, state = checkpoint.load(path).ema, model.state_dict()
    fits = {
        name: value
        for name, value in given.items()
        if name in state and state[name].shape == value.shape
    }
    for number, _ in enumerate(model.conditioners):
        prefix = f"conditioners.{number}."
        own = {name for name in state if name.startswith(prefix)}
        # A conditioner is taken whole or not at all: half of one fits no frames.
        if not own <= fits.keys():
            fits = {name: value for name, value in fits.items() if name not in own}
    if any(name.startswith("layers.0.") and name not in fits for name in state):
        raise WavestepError(
            f"{path} has no layer of this model's shape (residual_channels, gate_channels, kernel, "
            "weight_norm); leave training.init out, or give the network its shape"
        )
    model.load_state_dict({**state, **fits})
    taken = sum(value.numel() for value in fits.values())
    whole = sum(value.numel() for value in state.values())
    return f"{taken / whole:.0%} of the weights are those of {path}"
