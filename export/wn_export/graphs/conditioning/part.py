"""What a conditioner's part of conditioner.onnx is given, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from wn_export.graphs.builder import GraphBuilder
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights


@dataclass
class GraphPart:
    """One conditioner in the making; it adds nodes and says what came of them."""

    graph: GraphBuilder
    spec: ModelSpec
    weights: Weights
    batch: int
    """B."""
    block: int
    """Samples of the block that one call of the graph conditions."""
    index: int
    """Which of the model's conditioners it is: names of its state begin with `state.<index>.`."""
    frames: str | None
    """The graph's input [B, block / hop (+ lookahead / hop), C]; None where there is none."""
    history: str | None
    """The graph's input [B, block]: the samples of the block before; None where nobody reads it."""
    states: dict[str, str] = field(default_factory=dict)
    """State input to the node that has its next value."""

    def name(self, node: str) -> str:
        """A node's name in this part."""
        return f"conditioner{self.index}/{node}"

    def slice(self, tensor: str, node: str, first: int, count: int, axis: int = 0) -> str:
        """The node of `count` rows of a tensor, along an axis, from `first` on."""
        start, end = self.graph.shape(first), self.graph.shape(first + count)
        return self.graph.node("Slice", self.name(node), tensor, start, end, self.graph.shape(axis))
