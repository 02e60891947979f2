"""Wheels of what is installed here, so that a bundle can be installed without an index."""

from __future__ import annotations

import zipfile
from importlib import metadata
from pathlib import Path

from wn_export.bundle import pins, place

LEFT_OUT = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def repacked(name: str, folder: Path) -> Path:
    """The wheel of an installed distribution, from the files that its RECORD lists."""
    found = metadata.distribution(name)
    about = f"{found.metadata['Name'].replace('-', '_')}-{found.version}"
    lines = (found.read_text("WHEEL") or "").splitlines()
    tags = [line.split()[1].split("-") for line in lines if line.startswith("Tag:")]
    tag = (".".join(dict.fromkeys(each[part] for each in tags)) for part in range(3))
    path = folder / f"{'-'.join([about, *tag])}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        info = ""
        for file in found.files or ():
            if file.parts[0] == ".." or file.suffix == ".pyc":
                continue
            if file.parts[0].endswith(".dist-info"):
                info = file.parts[0]
                if file.name in LEFT_OUT:
                    continue
            archive.write(found.locate_file(file), str(file))  # type: ignore[arg-type]
        archive.writestr(f"{info}/RECORD", "".join(f"{each},,\n" for each in archive.namelist()))
    return path


def pin(wheel: Path) -> str:
    """The line of a requirements file."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{place.digest(wheel)}"


def needed() -> list[str]:
    """The distributions that are pinned for a device: what wavestep needs, and what that needs."""
    return [line.partition("==")[0] for line in pins.lines("3.11")]
