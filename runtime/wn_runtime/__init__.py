"""What runs on the device: open a model, stream it, write the sound.

Names are imported when they are first used, so that `import wn_runtime` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wn_runtime.engines.choice import open_engine as open_engine
    from wn_runtime.engines.code import trust_code as trust_code
    from wn_runtime.errors import WavestepError as WavestepError
    from wn_runtime.output.sinks import write as write
    from wn_runtime.synthesis.model import Model as Model
    from wn_runtime.synthesis.model import open as open
    from wn_runtime.synthesis.snapshot import Snapshot as Snapshot
    from wn_runtime.synthesis.stream import Stream as Stream

_HOMES = {
    "Model": "synthesis.model",
    "Snapshot": "synthesis.snapshot",
    "Stream": "synthesis.stream",
    "WavestepError": "errors",
    "open": "synthesis.model",
    "open_engine": "engines.choice",
    "trust_code": "engines.code",
    "write": "output.sinks",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
