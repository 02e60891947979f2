"""The wheel of this very installation, be it a wheel's or a checkout's: what runs here runs there.

Nothing is built: the files of our packages as they are imported, and what was installed with them
as metadata. The same files give the same bytes: sorted, stored as they are, without times.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from wn_runtime.errors import WavestepError

PROJECT = "wavestep"
PACKAGES = ("wn_export", "wn_runtime", "wn_targets", "wn_train")
_TAGS = "Wheel-Version: 1.0\nGenerator: {generator}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_KEPT = ("METADATA", "entry_points.txt", "licenses/LICENSE")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16


def own_wheel() -> tuple[str, bytes]:
    """Name and content of the wheel.

    Raises WavestepError where wavestep is only on Python's path and not installed: then nothing
    here knows its commands and what it needs.
    """
    try:
        installed = metadata.distribution(PROJECT)
    except metadata.PackageNotFoundError as error:
        raise WavestepError(
            f"{PROJECT} is imported here but not installed, so no wheel can be made of it; "
            "pip install -e . in its checkout"
        ) from error
    about = f"{PROJECT}-{installed.version}"
    members = dict(sorted(_modules()))
    for name in _KEPT:
        text = installed.read_text(name)
        if text is None:
            raise WavestepError(f"{about} was installed without {name}; install it again")
        members[f"{about}.dist-info/{name}"] = text.encode()
    members[f"{about}.dist-info/WHEEL"] = _TAGS.format(generator=about).encode()
    record = f"{about}.dist-info/RECORD"
    members[record] = "".join(
        [*(_recorded(name, content) for name, content in members.items()), f"{record},,\n"]
    ).encode()
    return f"{about}-py3-none-any.whl", _zip(members)


def _modules() -> Iterator[tuple[str, bytes]]:
    """Every file of the packages, by its name in the wheel; what Python compiled is left out."""
    for package in PACKAGES:
        found = importlib.util.find_spec(package)
        assert found is not None, package
        folder = Path(found.origin or "").parent
        for path in folder.rglob("*"):
            inside = path.relative_to(folder.parent)
            if any(part == "__pycache__" or part.startswith(".") for part in inside.parts):
                continue
            if path.is_file() and path.suffix != ".pyc":
                yield inside.as_posix(), path.read_bytes()


def _recorded(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"{name},sha256={digest},{len(content)}\n"


def _zip(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # stored: deflated, zlib's version would be seen
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = _MODE
            archive.writestr(info, content)
    return file.getvalue()
