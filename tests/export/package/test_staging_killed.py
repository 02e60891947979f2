"""What killed exports leave is cleared by the next, and what others have in the making is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.models import model_dir, specs
from wn_export.package.staging import staged
from wn_runtime.model import manifest


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return model_dir.write_model(tmp_path / "voice", specs.PLAIN)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_dir.write_model(tmp_path_factory.mktemp("new") / "x", specs.CORNERS["kernel_3"])


def beside(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.parent.iterdir())


def child(script: str, *arguments: object) -> list[str]:
    """Another process, with the imports that these scripts need."""
    start = """
        import os, signal, sys
        from pathlib import Path
        from wn_runtime import exchange
        from wn_export.package.staging import staged
        target = Path(sys.argv[1])
    """
    code = textwrap.dedent(start) + textwrap.dedent(script)
    return [sys.executable, "-c", code, *map(str, arguments)]


def killed(script: str, target: Path) -> None:
    assert subprocess.run(child(script, target), check=False).returncode == -9


KILLED_AT_WORK = """
    with staged(target) as stage:
        (stage.path / "weights.safetensors").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["voice", "v" * 248, "a b\n\x1b[31m", "\udcff", "[a]*?", "..."])
def test_a_killed_export_leaves_the_old_directory_and_the_next_clears_up(
    tmp_path: Path, new: Path, name: str
) -> None:
    old = model_dir.write_model(tmp_path / "voice", specs.PLAIN).rename(tmp_path / name)
    before = model_dir.records(old)
    killed(KILLED_AT_WORK, old)
    assert model_dir.records(old) == before
    assert len(beside(old)) == 2
    with staged(old) as stage:
        assert beside(old) == sorted([stage.path.name, name]), "the killed one's is gone"
        shutil.copytree(new, stage.path, dirs_exist_ok=True)
        stage.publish()
    assert manifest.read(old).spec.kernel == 3
    assert beside(old) == [name]


def test_names_in_the_making_are_not_a_processs_number(old: Path, new: Path) -> None:
    """Two containers that share a folder both have a process 7."""
    with staged(old) as one, staged(old) as other:
        assert one.path != other.path
        assert str(os.getpid()) not in one.path.name
        for stage in (one, other):
            shutil.copytree(new, stage.path, dirs_exist_ok=True)
        one.publish()
        other.publish()
    assert beside(old) == ["voice"]


def test_an_export_at_work_is_not_cleared_by_another(old: Path) -> None:
    script = """
        with staged(target) as stage:
            print("ready", flush=True)
            sys.stdin.read()
            assert stage.path.exists()
    """
    other = subprocess.Popen(
        child(script, old), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "ready\n"
        with staged(old):
            assert len(beside(old)) == 3
        other.stdin.close()
    assert other.returncode == 0


def test_what_only_looks_like_an_exports_is_left_alone(old: Path) -> None:
    names = [".voice.0123abcd.part", ".voice.part-7", ".voice.0123ABCD.part", ".voice.0123abcd.x"]
    for name in names[1:]:
        (old.parent / name).mkdir()
    os.mkfifo(old.parent / names[0])
    with staged(old):
        pass
    assert beside(old) == sorted([*names, "voice"])
