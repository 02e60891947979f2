"""A printed fix names the wavestep that is here, for the Python that printed it."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from wn_runtime import installation

ROOT = Path(__file__).parents[2]
METADATA = """Metadata-Version: 2.4
Name: wavestep
Version: 9.9
Requires-Dist: numpy>=1.24
Requires-Dist: onnxruntime>=1.17; extra == 'onnx'
Requires-Dist: onnx>=1.16; extra == 'export'
Requires-Dist: onnxruntime-gpu>=1.27; extra == 'gpu'
Requires-Dist: cuda-core<2,>=1.0; extra == 'gpu'
Requires-Dist: tomli>=2; (python_version < '3.8') and extra == 'train'
Requires-Dist: torch>=2.4; extra == 'train'
"""


class Installed:
    """A wavestep that was installed from `origin`, as pip notes it; None: nothing was noted."""

    def __init__(self, folder: Path) -> None:
        self._noted = folder / "wavestep-9.9.dist-info" / "direct_url.json"
        self._noted.parent.mkdir(parents=True)
        (self._noted.parent / "METADATA").write_text(METADATA)

    def note(self, text: str) -> None:
        self._noted.write_text(text)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    found = Installed(tmp_path / "site")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    monkeypatch.setattr(installation, "pip", lambda *words: shlex.join(words))
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "my checkout"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    return folder


def test_a_checkout_is_installed_again_with_the_extra(installed: Installed, checkout: Path) -> None:
    installed.note(f'{{"url": "{checkout.as_uri()}", "dir_info": {{"editable": true}}}}')
    assert shlex.split(installation.install("train")) == ["-e", f"{checkout}[train]"]
    installed.note(f'{{"url": "{checkout.as_uri()}", "dir_info": {{}}}}')
    assert shlex.split(installation.install("onnx", "export")) == [f"{checkout}[onnx,export]"]
    assert installation.reinstall() == f"--force-reinstall '{checkout}'"


def test_a_wheel_is_named_by_its_file(installed: Installed, tmp_path: Path) -> None:
    wheel = tmp_path / "my wheels" / "wavestep-9.9-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    installed.note(f'{{"url": "{wheel.as_uri()}", "archive_info": {{}}}}')
    (word,) = shlex.split(installation.install("onnx"))
    asked = Requirement(word)
    assert (asked.name, asked.extras, asked.url) == ("wavestep", {"onnx"}, wheel.as_uri())


def test_a_repository_is_asked_at_the_commit_that_is_here(installed: Installed) -> None:
    installed.note(
        '{"url": "https://example.org/w.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}'
    )
    assert shlex.split(installation.install("cc")) == [
        "wavestep[cc] @ git+https://example.org/w.git@abc"
    ]
    installed.note('{"url": "https://example.org/w.whl", "archive_info": {}}')
    assert shlex.split(installation.install("cc")) == ["wavestep[cc] @ https://example.org/w.whl"]


@pytest.mark.parametrize(
    "noted",
    [
        None,
        "",
        "{",
        "[]",
        '{"url": 3}',
        '{"url": "file:///nowhere", "dir_info": {"editable": true}}',
        '{"url": "file:///nowhere", "dir_info": null}',
        '{"url": "file:///nowhere.whl", "archive_info": {}}',
        '{"url": "https://example.org", "vcs_info": {}}',
    ],
)
def test_without_a_source_the_libraries_are_named(installed: Installed, noted: str | None) -> None:
    if noted is not None:
        installed.note(noted)
    assert installation.install("onnx") == "'onnxruntime>=1.17'"
    assert installation.install("onnx", "export") == "'onnxruntime>=1.17' 'onnx>=1.16'"
    assert installation.install("train") == "'torch>=2.4'", "tomli is for older Pythons"
    assert installation.reinstall() == "--force-reinstall 'numpy>=1.24'"


def test_a_library_that_is_not_wanted_is_left_out(installed: Installed, checkout: Path) -> None:
    installed.note(f'{{"url": "{checkout.as_uri()}", "dir_info": {{"editable": true}}}}')
    assert installation.install("gpu", without="onnxruntime-gpu") == "'cuda-core<2,>=1.0'"
    whole = installation.install("gpu")
    assert installation.install("gpu", without="onnxruntime") == whole, "another library"


def test_options_of_pip_come_first(installed: Installed) -> None:
    assert installation.install("onnx", options=("-q",)) == "-q 'onnxruntime>=1.17'"


def test_an_environment_that_hides_the_systems_packages_is_made_anew(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "pyvenv.cfg"
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert installation.show_system_packages() == "", "of another kind"
    kept.write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    said = installation.show_system_packages()
    assert said == f"/usr/bin/python3 -m venv --system-site-packages {tmp_path}"
    kept.write_text("home = /usr/bin\ninclude-system-site-packages = true\n")
    assert installation.show_system_packages() == ""
    machine.has(False, ("pip",), {})
    assert installation.show_system_packages() == ""


def test_sources_that_were_never_installed(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(installation, "pip", lambda *words: shlex.join(words))
    monkeypatch.setattr(installation, "_CHECKOUT", checkout)
    for without in ("", "onnxruntime-gpu"):
        asked = installation.install("gpu", without=without)
        assert shlex.split(asked) == ["-e", f"{checkout}[gpu]"]
    assert shlex.split(installation.install()) == ["-e", str(checkout)]
    monkeypatch.setattr(installation, "_CHECKOUT", tmp_path)
    assert "pyproject.toml lists for play" in installation.install("play")
    assert installation.install() == "install a wheel of wavestep"


class Machine:
    """What decides how pip is called here."""

    def __init__(self, patch: pytest.MonkeyPatch, stdlib: Path) -> None:
        self._patch, self._stdlib = patch, stdlib
        patch.setattr(sys, "executable", "/opt/my env/bin/python")
        patch.setattr("sysconfig.get_path", lambda _name: str(stdlib))
        self.has(environment=True, modules=("pip",), programs={})

    def has(self, environment: bool, modules: tuple[str, ...], programs: dict[str, str]) -> None:
        self._patch.setattr(sys, "prefix", "/opt/my env")
        self._patch.setattr(sys, "base_prefix", "/usr" if environment else "/opt/my env")
        find = {name: object() for name in modules}.get
        self._patch.setattr(installation, "find_spec", find)
        self._patch.setattr("shutil.which", programs.get)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_pip_is_this_pythons(machine: Machine, tmp_path: Path) -> None:
    python = "'/opt/my env/bin/python'"
    machine.has(True, ("pip",), {"pip": "/opt/my env/bin/pip"})
    assert installation.pip("a[b]") == "pip install 'a[b]'"
    machine.has(True, ("pip",), {"pip": "/usr/bin/pip"})  # the shell's is another's
    assert installation.pip("a") == f"{python} -m pip install a"
    machine.has(True, (), {"uv": "/usr/bin/uv"})
    assert installation.pip("a") == f"uv pip install --python {python} a"
    machine.has(True, ("ensurepip",), {})
    assert installation.pip("a") == f"{python} -m ensurepip && {python} -m pip install a"
    machine.has(False, ("pip",), {"pip": "/opt/my env/bin/pip"})
    assert installation.pip("a") == f"{python} -m pip install a"
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    assert installation.pip("a") == f"{python} -m pip install --break-system-packages a"
    machine.has(True, ("pip",), {})
    assert "--break" not in installation.pip("a"), "an environment may be written"


def printed(file: Path) -> Iterator[str]:
    """The strings of a Python file that are no docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    docs = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in docs:
            yield each.value


def test_nobody_else_words_an_installation() -> None:
    """What is written down elsewhere would be wrong on some machine."""
    files = [
        path
        for package in ("runtime", "targets", "train", "export")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "installation.py"
    ]
    assert len(files) > 300
    for file in files:
        for text in printed(file):
            assert "pip install" not in text, file
            assert "wavestep[" not in text, file


def test_no_page_asks_an_index_for_wavestep() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        if page.name in ("install.md", "troubleshooting.md"):
            continue  # which say that it is on none
        text = page.read_text("utf-8")
        assert not re.search(r"pip install '?wavestep(?!-\d)", text), page


def test_windows_shells_take_double_quotes(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has(True, ("pip",), {"pip": "/opt/my env/bin/pip"})
    monkeypatch.setattr("os.name", "nt")
    words = installation._quoted("C:\\my wavestep[cc]"), installation._quoted("C:\\wavestep")
    monkeypatch.undo()
    assert words == ('"C:\\my wavestep[cc]"', "C:\\wavestep")


def test_what_is_installed_here_says_where_from() -> None:
    """In the suite's own environment, which the Makefile installs from its checkout."""
    words = shlex.split(installation.install("play"))
    assert words[-1].endswith("[play]")
    assert Path(words[-1].removesuffix("[play]"), "pyproject.toml").exists()
