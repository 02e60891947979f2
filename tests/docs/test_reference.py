"""The reference has every command, option and key of the code, each with its meaning."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import wn_runtime
from wn_docs import api, commands, manifest, sources

ROOT = Path(__file__).parents[2]


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Each, and each part of a group, by what is typed."""
    for name, command in commands.all_commands().items():
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {part}", each) for part, each in command.commands.items())


@pytest.fixture(scope="module")
def page() -> str:
    return commands.page()


def section(page: str, title: str) -> str:
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def test_every_option_of_every_command_is_in_the_reference(page: str) -> None:
    shared = section(page, "What every command takes")
    counted = 0
    for name, command in every_command():
        own = section(page, name)
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert commands.meaning(option).strip(), f"{name} {option.name} says nothing"
                counted += 1
                for flag in (*option.opts, *option.secondary_opts):
                    assert re.search(rf"`{flag}[ `]", own + shared), f"{name} {flag}"
    assert counted > 100


def test_every_command_of_the_project_is_in_the_reference(page: str) -> None:
    scripts = re.findall(r"^(wn-[a-z-]+) = ", (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert len(scripts) > 8
    for name in scripts:
        assert section(page, name)


def test_an_option_in_words() -> None:
    option = click.Option(["-n", "--number"], default=3, show_default=True, help="How *many*.")
    assert commands.meaning(option) == r"How \*many\*. Default: `3`."
    assert commands.escaped("`a*b` <c> d|e") == r"`a*b` \<c\> d\|e"
    assert list(commands.paragraphs("One\ntwo.\n\n\b\nas it\n  stands\n")) == [
        *("One two.", ""),
        *("    as it", "      stands", ""),
    ]


def test_every_key_of_a_configuration_has_a_meaning() -> None:
    pytest.importorskip("wn_train.toml", reason="Python 3.10 without the extra train has no TOML")
    from wn_docs import configuration

    text = configuration.page()
    for table in configuration.TABLES:
        found = configuration.keys(table)
        assert found
        for key in found:
            assert key.words, f"{table}: {key.name} says nothing"
            assert f"| `{key.name}` |" in text
    for kind in ("softmax", "logistic", "gaussian"):
        assert f'`kind = "{kind}"`' in text
        assert all(key.words for key in configuration.head_keys(kind))


def test_no_table_of_a_configuration_is_left_out() -> None:
    pytest.importorskip("wn_train.toml", reason="Python 3.10 without the extra train has no TOML")
    from wn_docs import configuration
    from wn_train.config import Config, ModelConfig

    tables = {each.name for each in dataclasses.fields(Config) if "Config" in str(each.type)}
    tables |= {
        f"model.{each.name}"
        for each in dataclasses.fields(ModelConfig)
        if "Config" in str(each.type)
    }
    assert tables <= configuration.TABLES.keys()


def test_every_public_name_and_method_is_in_the_reference() -> None:
    text = api.page()
    for name in wn_runtime.__all__:
        value = getattr(wn_runtime, name)
        if isinstance(value, type):
            assert f"\n## {name}\n" in text
            for member, _ in api.members(value):
                assert f"\n### {name}.{member}\n" in text
        else:
            assert f"\n### wn.{name}\n" in text
    assert "- `sample_rate`: Hz." in section(text, "Model")
    assert "object at 0x" not in text
    assert "<function" not in text


def test_the_manifest_is_in_its_page() -> None:
    text = (ROOT / "docs/reference/model-directory.md").read_text("utf-8")
    made = manifest.into(text)
    assert manifest.MARK not in made
    for cls in manifest.PARTS.values():
        for field in dataclasses.fields(cls):
            assert f"| `{field.name}` |" in made


def test_links_to_sources_become_links_to_their_pages(tmp_path: Path) -> None:
    from pathlib import PurePosixPath as Posix

    (tmp_path / "docs").mkdir()
    (tmp_path / "code/inner").mkdir(parents=True)
    (tmp_path / "code/a.py").write_text('"""What *it* is."""\n')
    (tmp_path / "code/b.bin").write_bytes(b"\xff\xfe")
    (tmp_path / "MORE.md").touch()
    site = tmp_path / "site"
    made = sources.Sources(
        tmp_path,
        site,
        {Posix("MORE.md"): Posix("more.md"), Posix("docs/p/q.md"): Posix("p/q.md")},
    )
    text = "[f](../../code) `[f](x)` [a](../../code/a.py) [b](../../code/b.bin) "
    text += "[m](../../MORE.md#z) [d](../../docs)"
    assert made.relinked(text, Posix("docs/p/q.md"), Posix("p/q.md")) == (
        "[f](../source/code.md) `[f](x)` [a](../source/code/a.py.md) [b](../source/code/b.bin) "
        "[m](../more.md#z) [d](../index.md)"
    )
    assert '```python\n"""What *it* is."""\n```' in (site / "source/code/a.py.md").read_text()
    assert (site / "source/code/b.bin").read_bytes() == b"\xff\xfe"
    listing = (site / "source/code.md").read_text()
    assert r"- [a.py](code/a.py.md) – What \*it\* is." in listing
    assert "- inner/" in listing
