"""A fix that the system's package manager brings is in its words, or not offered."""

from __future__ import annotations

import pytest

from wn_runtime import system_packages
from wn_runtime.system_packages import ARM_COMPILER, COMPILER, LOUDSPEAKER, SOUND_FILES


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "_is_root", lambda: False)


@pytest.mark.parametrize(
    ("program", "command", "has_arm"),
    [
        ("apt-get", "sudo apt install", True),
        ("dnf", "sudo dnf install", False),
        ("zypper", "sudo zypper install", False),
        ("pacman", "sudo pacman -S", True),
        ("apk", "sudo apk add", False),
    ],
)
def test_each_manager_has_its_words(program: str, command: str, has_arm: bool) -> None:
    here = {program: f"/usr/bin/{program}"}.get
    for what in (COMPILER, SOUND_FILES, LOUDSPEAKER):
        said = system_packages.install(what, here)
        assert said is not None
        assert said.startswith(f"{command} ")
    assert (system_packages.install(ARM_COMPILER, here) is not None) == has_arm


def test_a_mac_has_its_own_compiler_and_needs_no_sudo_for_the_rest() -> None:
    here = {"xcode-select": "/usr/bin/xcode-select", "brew": "/opt/homebrew/bin/brew"}.get
    assert system_packages.install(COMPILER, here) == "xcode-select --install"
    assert system_packages.install(LOUDSPEAKER, here) == "brew install portaudio"
    assert system_packages.install(ARM_COMPILER, here) is None


def test_root_needs_no_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "_is_root", lambda: True)
    here = {"apt-get": "/usr/bin/apt-get"}.get
    assert system_packages.install(LOUDSPEAKER, here) == "apt install libportaudio2"


def test_an_unknown_system_gets_no_command() -> None:
    assert system_packages.install(COMPILER, lambda _name: None) is None
