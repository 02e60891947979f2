"""r9y9's models made anew for tests: checkpoints with random weights, and what they answer.

The forward pass is written from a description of the project's equations, in plain PyTorch calls,
channels first as there; nothing of it is shared with the importer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

State = dict[str, Tensor]


@dataclass(frozen=True)
class R9y9:
    """One model's settings."""

    out_channels: int = 16
    input_type: str = "mulaw-quantize"
    distribution: str = "Logistic"
    layers: int = 4
    stacks: int = 2
    residual: int = 6
    gate: int = 10
    skip: int = 7
    kernel: int = 3
    quantize: int = 16
    cin: int = 0
    gin: int = 0
    speakers: int = 0
    network: str = ""
    """conv_in, plain (master) or transposed (0.1.1)."""
    scales: tuple[int, ...] = (2, 3)
    pad: int = 0
    frequency: int = 1
    activation: str = "none"
    slope: float = 0.01
    legacy: bool | None = None
    """None: master."""
    normed: bool = True
    more: dict[str, Any] = field(default_factory=dict)
    """Further hparams."""

    @property
    def scalar(self) -> bool:
        return self.input_type != "mulaw-quantize"

    @property
    def hop(self) -> int:
        return math.prod(self.scales)

    def hparams(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "out_channels": self.out_channels,
            "input_type": self.input_type,
            "output_distribution": self.distribution,
            "layers": self.layers,
            "stacks": self.stacks,
            "residual_channels": self.residual,
            "gate_channels": self.gate,
            "skip_out_channels": self.skip,
            "kernel_size": self.kernel,
            "quantize_channels": self.quantize,
            "cin_channels": self.cin or -1,
            "gin_channels": self.gin or -1,
            "n_speakers": self.speakers or None,
            "sample_rate": 8000,
            "hop_size": self.hop,
            "dropout": 0.05,
            "upsample_conditional_features": bool(self.network),
        }
        if self.legacy is not None:
            found |= {"legacy": self.legacy, "upsample_scales": list(self.scales)}
        elif self.network:
            found["cin_pad"] = self.pad
            found["upsample_params"] = {
                "upsample_scales": list(self.scales),
                "freq_axis_kernel_size": self.frequency,
            }
            if self.activation != "none":
                found["upsample_params"] |= {
                    "upsample_activation": self.activation,
                    "upsample_activation_params": {"negative_slope": self.slope},
                }
        return found | self.more

    def state(self, seed: int = 0) -> State:
        """Random weights by the project's names."""
        generator = torch.Generator().manual_seed(seed)
        table: State = {}

        def layer(name: str, *shape: int, bias: bool = True, normed: bool = True) -> None:
            v = torch.randn(*shape, generator=generator, dtype=torch.float64)
            v = v / math.sqrt(math.prod(shape[1:]))
            if normed and self.normed:
                g = torch.rand(shape[0], *[1] * (len(shape) - 1), generator=generator)
                table[f"{name}.weight_g"], table[f"{name}.weight_v"] = g.double() + 0.5, v
            else:
                table[f"{name}.weight"] = v
            if bias:
                table[f"{name}.bias"] = torch.randn(shape[0], generator=generator).double() / 4

        old = self.legacy is not None
        layer("first_conv", self.residual, 1 if self.scalar else self.out_channels, 1)
        for i in range(self.layers):
            at = f"conv_layers.{i}"
            layer(f"{at}.conv", self.gate, self.residual, self.kernel)
            if self.cin:
                layer(f"{at}.conv1x1c", self.gate, self.cin, 1, bias=old)
            if self.gin:
                layer(f"{at}.conv1x1g", self.gate, self.gin, 1, bias=old)
            layer(f"{at}.conv1x1_out", self.residual, self.gate // 2, 1)
            layer(f"{at}.conv1x1_skip", self.skip, self.gate // 2, 1)
        layer("last_conv_layers.1", self.skip, self.skip, 1)
        layer("last_conv_layers.3", self.out_channels, self.skip, 1)
        if self.speakers:
            shape = (self.speakers, self.gin)
            table["embed_speakers.weight"] = torch.randn(shape, generator=generator).double()
        if self.network == "conv_in":
            width = 2 * self.pad + 1
            layer("upsample_net.conv_in", self.cin, self.cin, width, bias=False, normed=False)
        step = 2 if self.activation == "none" else 3
        for k, scale in enumerate(self.scales if self.network else ()):
            if self.network == "transposed":
                layer(f"upsample_conv.{2 * k}", 1, 1, self.frequency, scale)
                continue
            inner = "upsample_net.upsample" if self.network == "conv_in" else "upsample_net"
            name = f"{inner}.up_layers.{1 + step * k}"
            layer(name, 1, 1, self.frequency, 2 * scale + 1, bias=False)
        return table

    def params(
        self,
        state: State,
        x: NDArray[Any],
        frames: NDArray[np.float64] | None = None,
        speaker: int | None = None,
        features: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """params[t] predicts x[t+1] from x[: t+1] and the conditioning of t: (T, A)."""
        w = _folded(state)
        if self.scalar:
            h = torch.from_numpy(x.astype(np.float64))[None, None]
        else:
            h = F.one_hot(torch.from_numpy(x.astype(np.int64)), self.out_channels).double().T[None]
        c = None if frames is None else self._upsampled(w, torch.from_numpy(frames).T[None])
        if c is not None:
            assert c.shape[2] == len(x)
        g = None
        if speaker is not None:
            g = w["embed_speakers.weight"][speaker][None, :, None]
        elif features is not None:
            g = torch.from_numpy(features)[None, :, None]
        h = F.conv1d(h, w["first_conv.weight"], w["first_conv.bias"])
        skips: Tensor | None = None
        for i in range(self.layers):
            at = f"conv_layers.{i}"

            def conv(name: str, z: Tensor, at: str = at) -> Tensor:
                return F.conv1d(z, w[f"{at}.{name}.weight"], w.get(f"{at}.{name}.bias"))

            dilation = 2 ** (i % (self.layers // self.stacks))
            padded = F.pad(h, ((self.kernel - 1) * dilation, 0))
            a = F.conv1d(padded, w[f"{at}.conv.weight"], w[f"{at}.conv.bias"], dilation=dilation)
            if c is not None:
                a = a + conv("conv1x1c", c)
            if g is not None:
                a = a + conv("conv1x1g", g)
            half = self.gate // 2
            z = torch.tanh(a[:, :half]) * torch.sigmoid(a[:, half:])
            s = conv("conv1x1_skip", z)
            skips = s if skips is None else skips + s
            if self.legacy and i:
                skips = skips * math.sqrt(0.5)
            h = (conv("conv1x1_out", z) + h) * math.sqrt(0.5)
        assert skips is not None
        if self.legacy is None:
            skips = skips * math.sqrt(1 / self.layers)
        y = F.conv1d(F.relu(skips), w["last_conv_layers.1.weight"], w["last_conv_layers.1.bias"])
        y = F.conv1d(F.relu(y), w["last_conv_layers.3.weight"], w["last_conv_layers.3.bias"])
        found: NDArray[np.float64] = y[0].T.numpy()
        return found

    def _upsampled(self, w: State, c: Tensor) -> Tensor:
        """Frames (1, C, F) to samples (1, C, F·hop)."""
        if not self.network:
            return c.repeat_interleave(self.hop, dim=2)
        c = F.pad(c, (self.pad, self.pad), mode="replicate") if self.pad else c
        if self.network == "conv_in":
            c = F.conv1d(c, w["upsample_net.conv_in.weight"])
        c, half = c[:, None], self.frequency // 2
        step = 2 if self.activation == "none" else 3
        for k, scale in enumerate(self.scales):
            if self.network == "transposed":
                weight, bias = (w[f"upsample_conv.{2 * k}.{part}"] for part in ("weight", "bias"))
                c = F.relu(
                    F.conv_transpose2d(c, weight, bias, stride=(1, scale), padding=(half, 0))
                )
                continue
            inner = "upsample_net.upsample" if self.network == "conv_in" else "upsample_net"
            c = F.interpolate(c, scale_factor=(1, scale), mode="nearest")
            kernel = w[f"{inner}.up_layers.{1 + step * k}.weight"]
            c = F.conv2d(c, kernel, padding=(half, scale))
            if self.activation == "LeakyReLU":
                c = F.leaky_relu(c, self.slope)
        c = c[:, 0]
        cut = self.pad * self.hop if self.network == "plain" else 0
        return c[:, :, cut : c.shape[2] - cut]

    def inputs(self, samples: int, seed: int = 1) -> dict[str, Any]:
        """x, and what else `params` takes: a whole number of frames."""
        rng = np.random.default_rng(seed)
        found: dict[str, Any] = {"x": rng.integers(0, self.out_channels, samples)}
        if self.scalar:
            found["x"] = rng.uniform(-1, 1, samples).astype(np.float32)
        if self.cin:
            found["frames"] = rng.standard_normal((samples // self.hop, self.cin))
        if self.speakers:
            found["speaker"] = int(rng.integers(0, self.speakers))
        return found


def saved(state: State) -> dict[str, Any]:
    """What its training saves, in float32."""
    return {
        "state_dict": {name: tensor.float() for name, tensor in state.items()},
        "optimizer": None,
        "global_step": 7,
        "global_epoch": 1,
    }


def rounded(state: State) -> State:
    """The weights that come back of a file."""
    return {name: tensor.float().double() for name, tensor in state.items()}


def _folded(state: State) -> State:
    table = {name: t for name, t in state.items() if not name.endswith(("_g", "_v"))}
    for name, v in state.items():
        if name.endswith(".weight_v"):
            norm = v.flatten(1).norm(dim=1).reshape(-1, *[1] * (v.dim() - 1))
            table[name.removesuffix("_v")] = state[name.removesuffix("_v") + "_g"] * v / norm
    return table
