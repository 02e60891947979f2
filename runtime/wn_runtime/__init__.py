"""What runs on the device: open a model, stream it, write the sound.

Names are imported when they are first used, so that `import wn_runtime` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wn_runtime.engines.engine import open_engine as open_engine
    from wn_runtime.errors import WavestepError as WavestepError
    from wn_runtime.output.sinks import write as write
    from wn_runtime.synthesis.stream import Model as Model
    from wn_runtime.synthesis.stream import Snapshot as Snapshot
    from wn_runtime.synthesis.stream import Stream as Stream
    from wn_runtime.synthesis.stream import open as open

_HOMES = {
    "Model": "synthesis.stream",
    "Snapshot": "synthesis.stream",
    "Stream": "synthesis.stream",
    "WavestepError": "errors",
    "open": "synthesis.stream",
    "open_engine": "engines.engine",
    "write": "output.sinks",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
