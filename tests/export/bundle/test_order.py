"""What a bundle cannot be for is told before an export begins, and what it can, it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from wn_export.bundle import bundle as bundles
from wn_export.bundle.bundle import Bundle, order
from wn_export.bundle.systems import pythons
from wn_runtime.engines.native.compiler import Compiler
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_targets.devices.catalogue import TARGETS


@pytest.fixture(autouse=True)
def compilers_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "compiler_for", lambda march: Compiler(("cc",), "cc"))


def ordered(tmp_path: Path, target: str | None, *asked: str) -> Bundle:
    return order(tmp_path / "out", target, asked)


@pytest.mark.parametrize(
    ("target", "machine", "found"),
    [
        ("orin-nano-8gb", "aarch64", {"JetPack 6": "3.10", "JetPack 7": "3.12"}),
        ("thor-t5000", "aarch64", {"JetPack 7": "3.12"}),
        ("x86-64-v3", "x86_64", {"Ubuntu 22.04": "3.10", "Debian 13": "3.13"}),
        ("cortex-a76", "aarch64", {"Raspberry Pi OS of Debian 13, 64-bit": "3.13"}),
    ],
)
def test_it_is_for_the_systems_of_its_target(
    tmp_path: Path, target: str, machine: str, found: dict[str, str]
) -> None:
    made = ordered(tmp_path, target)
    assert made.machine == machine
    assert found.items() <= {each.title: each.python for each in made.systems}.items()
    assert set(made.pythons) == {each.python for each in made.systems}
    assert any("Raspberry" in each.title for each in made.systems) == (target == "cortex-a76")


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_is_taken_or_refused_in_words(tmp_path: Path, name: str) -> None:
    target = TARGETS[name]
    if target.cpu is None or target.jetpacks[-1:] in (("4.6",), ("5.1",)):
        with pytest.raises(WavestepError, match="--target"):  # what can be done
            ordered(tmp_path, name)
    else:
        made = ordered(tmp_path, name)
        assert made.pythons
        assert made.title == target.title


def test_a_jetson_whose_python_is_too_old_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WavestepError) as error:
        ordered(tmp_path, "xavier-nx")
    assert str(error.value) == (
        "xavier-nx ends at JetPack 5.1, whose Python is 3.8, and wavestep needs 3.10; where you "
        "have put a newer one on it, --target cortex-a57 makes a bundle for any 64-bit Arm"
    )
    with pytest.raises(WavestepError, match=r"JetPack 4\.6.*glibc is 2\.27, older than the wheels"):
        ordered(tmp_path, "nano")


def test_without_a_target_nobody_knows_what_for(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match="--bundle needs --target"):
        ordered(tmp_path, None)


def test_an_unknown_target_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match=r"orin-nano-8g' is unknown.*did you mean"):
        ordered(tmp_path, "orin-nano-8g")


def test_a_card_has_no_machine_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match=r"h100 is a card.*--target x86-64-v3"):
        ordered(tmp_path, "h100")


def test_a_python_that_nothing_is_pinned_for_is_refused(tmp_path: Path) -> None:
    assert ordered(tmp_path, "cpu", "3.14", "3.11").pythons == ("3.11", "3.14")
    with pytest.raises(WavestepError, match=r"--python 3.9 is none.*3.10, 3.11"):
        ordered(tmp_path, "cpu", "3.9")
    assert pythons((), ("3.14", "3.14")) == ("3.14",)


def test_without_a_compiler_for_it_the_export_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(march: str) -> Compiler:
        raise EngineUnavailable("aarch64-linux-gnu-gcc is not here; apt install it")

    monkeypatch.setattr(bundles, "compiler_for", none)
    with pytest.raises(WavestepError, match=r"compiled for it: aarch64-linux-gnu-gcc is not here"):
        ordered(tmp_path, "cortex-a76")


def test_a_machine_without_pinned_packages_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "machine_of", lambda march: "riscv64")
    with pytest.raises(WavestepError, match="no bundle can be for riscv64"):
        ordered(tmp_path, "cpu")
