"""How a graph that breaks the rules of who is to take it is refused."""

from __future__ import annotations

import onnx

from wn_runtime.errors import WavestepError


def require_none(model: onnx.ModelProto, faults: list[str], refused: str, rules: str) -> None:
    """Raise WavestepError with the first of a graph's faults, where it has any.

    refused: who refuses it, as the sentence begins; rules: the module that lists what is taken.
    """
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise WavestepError(
            f"{refused} the graph {model.graph.name}: {faults[0]}{more}; make it of what "
            f"export/{rules.replace('.', '/')}.py lists"
        )
