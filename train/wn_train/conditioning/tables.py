"""A table for each condition, whatever the conditions are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class Tables(nn.Module):
    """Parameters by the names of conditions, which are their names in the state, too.

    nn.ParameterDict makes them attributes of a module, where `type`, `train` and `half` are taken.
    """

    def __init__(self, tables: Mapping[str, Tensor]) -> None:
        super().__init__()
        # Sorted, as ParameterDict has them: checkpoints number the optimiser's moments so.
        self._attributes = {name: f"table_{i}" for i, name in enumerate(sorted(tables))}
        for name, attribute in self._attributes.items():
            self.register_parameter(attribute, nn.Parameter(tables[name]))

    def __getitem__(self, name: str) -> Tensor:
        """The table of a condition."""
        return self.get_parameter(self._attributes[name])

    def items(self) -> list[tuple[str, Tensor]]:
        """The conditions' names with their tables."""
        return [(name, self[name]) for name in self._attributes]

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        for name, table in self.items():
            destination[prefix + name] = table if keep_vars else table.detach()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        given = {
            prefix + attribute: state_dict.pop(prefix + name)
            for name, attribute in self._attributes.items()
            if prefix + name in state_dict
        }
        state_dict.update(given)
        super()._load_from_state_dict(state_dict, prefix, *rest)
