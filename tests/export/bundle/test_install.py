"""install.sh, as a device's shell runs it: what it refuses, in a line, and what it installs.

It is given nothing but the programs it names: no compiler, no pip, and no index.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wn_runtime
from tests.export.bundle import repacked
from tests.export.bundle.exported import bundle_for, write_exported
from tests.models.specs import PLAIN
from wn_export.bundle import pins, wheels
from wn_export.bundle.write import write
from wn_export.package.libraries import add_library
from wn_runtime.model import manifest as manifests
from wn_runtime.output.encoders import pcm16

TOOLS = ("cat", "dirname", "head", "mkdir", "paste", "rm", "sed", "sh", "sha256sum", "sort")
MACHINE, PYTHON = platform.machine(), f"{sys.version_info[0]}.{sys.version_info[1]}"
pytestmark = [
    pytest.mark.skipif(
        any(shutil.which(each) is None for each in TOOLS), reason=f"needs {', '.join(TOOLS)}"
    ),
    pytest.mark.skipif(MACHINE not in pins.MACHINES, reason=f"nothing is pinned for {MACHINE}"),
    pytest.mark.skipif(PYTHON not in pins.PYTHONS, reason=f"nothing is pinned for {PYTHON}"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for this very machine and Python, its wheels those that are installed here."""
    folder = tmp_path_factory.mktemp("bundle")
    model = write_exported(folder / "voice", PLAIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        manifest, said = add_library(model, manifests.read(model), "native", model, every=True)
        if not any(each.engine == "native" for each in manifest.artifacts):
            pytest.skip(said or "no C compiler is here")
        manifests.write(model, manifest)
        shelf = folder / "shelf"
        shelf.mkdir()
        every = [repacked.repacked(name, shelf) for name in [*repacked.needed(), "pip"]]
        patch.setattr(wheels, "fetch", lambda *_: every)
        patch.setattr(pins, "lines", lambda *_: [repacked.pin(each) for each in every[:-1]])
        bundle = bundle_for(folder / "out", MACHINE, systems=(), pythons=(PYTHON,), jetson=False)
        write(bundle, model, lambda line: None)
    return folder / "out"


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    """The same, for one test to spoil; the large files have a second name only."""
    copied = tmp_path / "a bundle"  # a blank: whatever is quoted wrongly fails
    shutil.copytree(made, copied, copy_function=os.link)
    return copied


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name) or "")
    (folder / "python3").symlink_to(sys.executable)
    return folder


def install(
    out: Path, tools: Path, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    home = tools.parent / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        ["sh", str(out / "install.sh"), *arguments],
        env={"PATH": str(tools), "HOME": str(home), "LANG": "C.UTF-8", **environ},
        cwd=tools.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    return done.stderr.removeprefix("error: ").strip()


def spoil(path: Path, content: bytes) -> None:
    path.unlink()  # it may be another's file too
    path.write_bytes(content)


def a_python(tools: Path, name: str, words: str) -> None:
    """One that says of itself what we like."""
    (tools / name).unlink(missing_ok=True)
    (tools / name).write_text(f"#!/bin/sh\necho '{words}'\n")
    (tools / name).chmod(0o755)


def test_it_installs_and_what_is_installed_makes_the_same_sound(out: Path, tools: Path) -> None:
    first = install(out, tools)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "code     native.fp32.so  not trusted here, SHA-256 " in first.stdout
    assert "install.sh --trust, if you know who made it" in first.stdout
    second = install(out, tools, "--trust")
    assert second.returncode == 0, second.stderr
    assert "install " not in second.stdout, "it was there already"
    assert "code     native.fp32.so  trusted here" in second.stdout
    trusted = (tools.parent / "home/.local/share/wavestep/trusted").read_text()
    assert manifests.read(out / "model").files["native.fp32.so"].sha256 in trusted
    run = subprocess.run(
        [str(out / "env/bin/wn-run"), "model", "--engine", "native", "--raw", "sound.raw"],
        env={"PATH": str(tools), "HOME": str(tools.parent / "home")},
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    with wn_runtime.open(out / "model", engine="native", precision="fp32") as model:
        expected = model.stream().read(2 * model.sample_rate)
    assert (out / "sound.raw").read_bytes() == pcm16(expected).tobytes()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("model/weights.safetensors", "cut short"),
        ("wheels/pip-", "missing"),
        ("README.txt", "changed"),
    ],
)
def test_a_file_that_is_not_as_exported_is_named(
    out: Path, tools: Path, name: str, how: str
) -> None:
    (path,) = out.glob(f"{name}*")
    content = path.read_bytes()
    spoil(path, content[:-1] if how == "cut short" else content[:-1] + b"?")
    if how == "missing":
        path.unlink()
    name = path.relative_to(out).as_posix()
    found = error_of(install(out, tools))
    assert found == f"missing or not as exported: {name}; copy the whole bundle again"
    assert not (out / "env").exists()


def test_sums_that_are_cut_short_are_not_believed(out: Path, tools: Path) -> None:
    sums = (out / "SHA256SUMS").read_bytes()
    spoil(out / "SHA256SUMS", sums[: sums.index(b"\n") + 1])
    assert "SHA256SUMS is not the one of this install.sh" in error_of(install(out, tools))
    (out / "SHA256SUMS").unlink()
    assert "SHA256SUMS is missing" in error_of(install(out, tools))


def test_an_installer_that_is_cut_short_does_nothing(out: Path, tools: Path) -> None:
    script = (out / "install.sh").read_bytes()
    for end in range(0, len(script) - len(b'main "$@"\n'), 700):
        spoil(out / "install.sh", script[:end])
        install(out, tools)
        assert not (out / "env").exists(), end


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"{PYTHON} 64 sparc64 2.36", f"this machine is sparc64, the bundle for {MACHINE}"),
        (f"{PYTHON} 32 {MACHINE} 2.36", "python3 has 32 bits; the bundle is for a 64-bit system"),
        (f"{PYTHON} 64 {MACHINE} none", "this system has no glibc"),
        (f"{PYTHON} 64 {MACHINE} 2.27", "glibc is 2.27 here; the packages in wheels/ need 2.28"),
        (f"3.9 64 {MACHINE} 2.31", f"this bundle is for Python {PYTHON}: python3 is 3.9;"),
    ],
)
def test_a_machine_that_it_is_not_for_is_told_so(
    out: Path, tools: Path, words: str, reason: str
) -> None:
    a_python(tools, "python3", words)
    assert reason in error_of(install(out, tools))
    assert not (out / "env").exists()


def test_another_python_that_fits_is_found_or_named(out: Path, tools: Path) -> None:
    """None of them has the module venv, which is where each of them ends."""
    a_python(tools, "python3", f"3.9 64 {MACHINE} 2.31")
    script = (
        f"#!/bin/sh\ncase $2 in 'import venv') exit 1;; esac\necho {PYTHON} 64 {MACHINE} 2.36\n"
    )
    for name in (f"python{PYTHON}", "an other python"):
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    assert error_of(install(out, tools)) == (
        f"python{PYTHON} has no module venv; sudo apt install python3-venv"
    )
    own = str(tools / "an other python")
    assert error_of(install(out, tools, PYTHON=own)).startswith(f"{own} has no module venv")


def test_no_python_at_all(out: Path, tools: Path) -> None:
    (tools / "python3").unlink()
    found = error_of(install(out, tools))
    assert found.startswith(f"this bundle is for Python {PYTHON}: python3 is not here; name one")
    assert "nowhere is not here" in error_of(install(out, tools, PYTHON="nowhere"))


def test_a_folder_of_the_users_is_not_touched(out: Path, tools: Path) -> None:
    (out / "env").mkdir()
    (out / "env" / "mine").write_text("mine")
    assert "env is there, and not by install.sh" in error_of(install(out, tools))
    elsewhere = tools.parent / "elsewhere"
    elsewhere.mkdir()
    found = error_of(install(out, tools, "--to", "elsewhere"))
    assert found.startswith(f"{elsewhere} is there, and not by install.sh")
    assert (out / "env" / "mine").read_text() == "mine"


def test_an_installation_that_fails_leaves_nothing(out: Path, tools: Path) -> None:
    """Of a file that is as exported, and yet no wheel that pip takes."""
    (requirements,) = (out / "requirements").iterdir()
    sums, script = out / "SHA256SUMS", out / "install.sh"
    before, text = sums.read_text(), requirements.read_text()
    spoil(requirements, (text + f"nothing==1 --hash=sha256:{'0' * 64}\n").encode())
    name = f"requirements/{requirements.name}"
    old, new = _sha(text.encode()), _sha(requirements.read_bytes())
    spoil(sums, before.replace(f"{old}  {name}", f"{new}  {name}").encode())
    changed = script.read_text().replace(_sha(before.encode()), _sha(sums.read_bytes()))
    spoil(script, changed.encode())
    done = install(out, tools)
    assert done.returncode == 2
    assert "No matching distribution found for nothing==1" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: pip could not install {name}; with a network")
    assert not (out / "env").exists()


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_installation_that_is_stopped_leaves_nothing(
    out: Path, tools: Path, number: int, code: int
) -> None:
    """By a Python that takes its time to make an environment."""
    begun = tools / "begun"
    script = f"#!/bin/sh\ncase $1 in -c) echo {PYTHON} 64 {MACHINE} 2.36; exit;; esac\n"
    script += f": >'{begun}'\nexec cat\n"
    (tools / "python3").unlink()
    (tools / "python3").write_text(script)
    (tools / "python3").chmod(0o755)
    with subprocess.Popen(
        ["sh", str(out / "install.sh")],
        env={"PATH": str(tools)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while not begun.exists():  # before, a signal could be lost between fork and exec
            assert process.poll() is None
            time.sleep(0.01)
        assert (out / "env").is_dir()
        os.killpg(process.pid, number)
        assert process.wait(60) == code
    assert not (out / "env").exists()


def test_an_option_that_is_none_is_told(out: Path, tools: Path) -> None:
    assert error_of(install(out, tools, "--turst")).startswith("--turst is not an option")
    assert error_of(install(out, tools, "--to")) == "--to needs a folder"
    shown = install(out, tools, "--help")
    assert shown.returncode == 0
    assert "sh install.sh --trust" in shown.stdout
