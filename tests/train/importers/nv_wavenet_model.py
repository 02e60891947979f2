"""nv-wavenet's models made anew for tests: a pickled module, and what it answers."""

from __future__ import annotations

import sys
import types
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn


class Conv(nn.Module):
    """A convolution in a module, as there."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, bias=bias)


class WaveNet(nn.Module):
    """The module's parts by their names; its equation is in `params`."""

    def __init__(self, case: NvWavenet) -> None:
        super().__init__()
        r, s, a, c = case.residual, case.skip, case.classes, case.channels
        self.upsample = nn.ConvTranspose1d(c, c, case.window, case.stride)
        self.n_layers, self.max_dilation = case.layers, case.max_dilation
        self.cond_layers = Conv(c, 2 * r * case.layers)
        self.dilate_layers = nn.ModuleList(Conv(r, 2 * r, 2) for _ in range(case.layers))
        self.res_layers = nn.ModuleList(Conv(r, r) for _ in range(case.layers - 1))
        self.skip_layers = nn.ModuleList(Conv(r, s) for _ in range(case.layers))
        self.embed = nn.Embedding(a, r)
        self.conv_out, self.conv_end = Conv(s, a, bias=False), Conv(a, a, bias=False)


@dataclass(frozen=True)
class NvWavenet:
    """One model's settings."""

    layers: int = 4
    max_dilation: int = 4
    residual: int = 6
    skip: int = 7
    classes: int = 16
    channels: int = 3
    window: int = 10
    stride: int = 4

    def model(self, seed: int = 0) -> WaveNet:
        torch.manual_seed(seed)
        return WaveNet(self)

    def params(
        self, state: dict[str, Tensor], x: NDArray[Any], frames: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """params[t] predicts x[t+1] from x[: t+1] and the conditioning of t: (T, A)."""
        w = {name: tensor.double() for name, tensor in state.items()}
        c = torch.from_numpy(frames).T[None]
        c = F.conv_transpose1d(c, w["upsample.weight"], w["upsample.bias"], stride=self.stride)
        every = F.conv1d(
            c[:, :, : len(x)], w["cond_layers.conv.weight"], w["cond_layers.conv.bias"]
        )
        h, r, skips = w["embed.weight"][torch.from_numpy(x)].T[None], self.residual, torch.zeros(())
        for i in range(self.layers):
            dilation = 2 ** (i % self.max_dilation.bit_length())
            at = f"dilate_layers.{i}.conv"
            padded = F.pad(h, (dilation, 0))
            a = F.conv1d(padded, w[f"{at}.weight"], w[f"{at}.bias"], dilation=dilation)
            a = a + every[:, 2 * r * i : 2 * r * (i + 1)]
            z = torch.tanh(a[:, :r]) * torch.sigmoid(a[:, r:])
            at = f"skip_layers.{i}.conv"
            skips = skips + F.conv1d(z, w[f"{at}.weight"], w[f"{at}.bias"])
            if i < self.layers - 1:
                at = f"res_layers.{i}.conv"
                h = F.conv1d(z, w[f"{at}.weight"], w[f"{at}.bias"]) + h
        y = F.conv1d(F.relu(skips), w["conv_out.conv.weight"])
        y = F.conv1d(F.relu(y), w["conv_end.conv.weight"])
        found: NDArray[np.float64] = y[0].T.detach().numpy()
        return found


def save(path: Path, model: WaveNet, legacy: bool) -> None:
    """As the project's train.py does, from a module called wavenet."""
    fake = types.ModuleType("wavenet")
    names = {kind: kind.__module__ for kind in (WaveNet, Conv)}
    for kind in names:
        kind.__module__ = "wavenet"
        setattr(fake, kind.__name__, kind)
    sys.modules["wavenet"] = fake
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no source of the fake module can be kept
            optimizer = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 1e-3}]}
            saved = {"model": model, "iteration": 3, "optimizer": optimizer}
            torch.save(saved, path, _use_new_zipfile_serialization=not legacy)
    finally:
        del sys.modules["wavenet"]
        for kind, name in names.items():
            kind.__module__ = name
