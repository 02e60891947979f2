"""matplotlib as its makers ship it, whatever lies in the working directory or at home.

Imported as usual it reads `./matplotlibrc` before any other settings, and says on stderr what it
thinks of a missing home. Here it is imported with neither in sight, and figures are drawn under its
own defaults. The one place that imports it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wn_runtime.engines.cache.directory import home_directory
from wn_runtime.interrupts import Held
from wn_runtime.isolated import NEUTRAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def load() -> Any:
    """The module matplotlib. Raises ImportError where it is not installed."""
    if "matplotlib.figure" in sys.modules:  # another has imported it: the settings are reset below
        import matplotlib.figure

        return matplotlib
    with Held():
        return _imported()


def drawn(
    size: tuple[float, float], draw: Callable[[Figure], object], kind: str, dpi: int
) -> bytes:
    """A picture as a file of `kind` (png, svg, pdf): what `draw` makes of an empty figure.

    size: width and height in inches. Raises ImportError without matplotlib.
    """
    matplotlib = load()
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that its font lacks
        matplotlib.rcdefaults()
        figure = matplotlib.figure.Figure(figsize=size, layout="constrained")
        draw(figure)
        picture = io.BytesIO()
        figure.savefig(picture, format=kind, dpi=dpi)
    return picture.getvalue()


@functools.cache
def _imported() -> Any:
    # Fontconfig, which it asks for fonts, complains of a locale that it does not know.
    settings = {"MPLCONFIGDIR": _own_folder(), "MATPLOTLIBRC": None, "LC_ALL": "C"}
    with _out_of_the_way(), _environment(settings):
        logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
        import matplotlib.figure
        from matplotlib.backends import backend_agg  # noqa: F401 (and fonts, whose cache is there)
    return matplotlib


@contextlib.contextmanager
def _out_of_the_way() -> Iterator[None]:
    """In a directory where nobody puts files, then back."""
    if sys.platform == "win32":  # where no folder can be opened, nor removed while one stands in it
        with contextlib.ExitStack() as back:
            back.callback(os.chdir, Path.cwd())
            os.chdir(NEUTRAL)
            yield
        return
    try:
        before = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # it has been removed, so nothing is in it
        yield
        return
    try:
        os.chdir(NEUTRAL)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


@contextlib.contextmanager
def _environment(given: Mapping[str, str | None]) -> Iterator[None]:
    values = {**given, "MPLBACKEND": None}
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _own_folder() -> str:
    """Where it keeps what it knows of fonts: in the user's cache, or as long as this process."""
    given = os.environ.get("MPLCONFIGDIR", "")
    if os.path.isabs(given):  # noqa: PTH117 (a string)
        return given
    home = home_directory("XDG_CACHE_HOME", ".cache")
    if home is not None:
        with contextlib.suppress(OSError):
            folder = home / "matplotlib"
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return str(folder)
    private = tempfile.mkdtemp(prefix="wavestep-")
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    return private
