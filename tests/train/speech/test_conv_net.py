"""The network that is trained is the one that runs on the device."""

from __future__ import annotations

import numpy as np
import torch

from wn_runtime.speech import conv_net
from wn_train.speech.conv_net import ConvNet


def test_it_is_the_runtimes_and_padding_changes_nothing() -> None:
    table = conv_net.shapes("net", 3, 8, 2, 5, 4)
    torch.manual_seed(0)
    net = ConvNet({name.removeprefix("net."): shape for name, shape in table.items()}, dropout=0.5)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    net.eval()
    rows = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    batch, mask = torch.zeros(2, 11, 3), torch.zeros(2, 11, 1)
    batch[0, :7], mask[0, :7] = torch.from_numpy(rows), 1
    batch[1], mask[1] = torch.randn(11, 3), 1
    weights = {f"net.{name}": value.numpy() for name, value in net.canonical().items()}
    assert {name: value.shape for name, value in weights.items()} == table
    expected = conv_net.apply("net", 2, weights, rows)
    found = net(batch, mask)[0, :7].detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
