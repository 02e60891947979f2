"""The moving average: it follows the weights, and is put on a model for a while only."""

from __future__ import annotations

import torch

from wn_train.training.average import Average


def test_the_average_follows_the_weights_and_is_put_back() -> None:
    model = torch.nn.Linear(2, 1)
    average = Average(model, decay=0.9)
    start = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1)
    for step in range(1, 200):
        average.update(model, step)
    torch.testing.assert_close(average.weights["weight"], start + 1)
    with torch.no_grad():
        model.weight.zero_()
    with average.applied(model):
        torch.testing.assert_close(model.weight.detach(), start + 1)
    assert not model.weight.any()
