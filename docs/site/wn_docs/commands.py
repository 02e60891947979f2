"""The reference of every command and option, from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata

import click

from wn_runtime.commands import common_options

_ORDER = ("train", "features", "import", "export", "parity", "run", "bench", "targets")
"""Of the pages; what is not named comes after."""


def all_commands() -> dict[str, click.Command]:
    """Name to command, of every console script of wavestep."""
    found = {
        entry.name: entry.load()
        for entry in metadata.entry_points(group="console_scripts")
        if entry.name.startswith("wn-") and entry.dist is not None
    }
    places = {f"wn-{name}": place for place, name in enumerate(_ORDER)}
    return dict(sorted(found.items(), key=lambda item: (places.get(item[0], len(places)), item)))


def page() -> str:
    """Markdown: the options that all share, then a section a command."""
    shared = common_options.options()
    lines = ["## What every command takes", "", *_options(shared), ""]
    lines += _definition("`-h`, `--help`", "Show what it takes.")
    for name, command in all_commands().items():
        lines += _section(name, command, 2)
    return "\n".join(lines) + "\n"


def _section(name: str, command: click.Command, level: int) -> Iterator[str]:
    context = click.Context(command, info_name=name, **command.context_settings)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f"{'#' * level} {name}", "", f"    {name} {usage}", "")
    yield from (*paragraphs(command.help or ""), "")
    shared = {option.name for option in common_options.options()}
    all_options = (p for p in command.params if isinstance(p, click.Option) and not p.hidden)
    options = [option for option in all_options if option.name not in shared]
    yield from _options(options)
    yield ""
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _section(f"{name} {each}", found, level + 1)


def _options(options: list[click.Option]) -> list[str]:
    return [line for option in options for line in _definition(_names(option), meaning(option))]


def _definition(term: str, words: str) -> list[str]:
    return [term, f": {words}", ""]


def _names(option: click.Option) -> str:
    """Each of its names, the value after the last: `-o`, `--output FILE`."""
    *others, last = (*option.opts, *option.secondary_opts)
    if not option.is_flag and not option.count:
        last = f"{last} {option.make_metavar(click.Context(click.Command('')))}"
    return ", ".join(f"`{name}`" for name in (*others, last))


def meaning(option: click.Option) -> str:
    """Its help, as Markdown, with the default where --help shows it."""
    words = escaped(" ".join((option.help or "").split()))
    default = option.get_default(click.Context(click.Command("")), call=False)
    if option.show_default and default not in (None, ()) and not option.is_flag:
        words += f" Default: `{default}`."
    return words + (" May be given again." if option.multiple else "")


def paragraphs(help_text: str) -> Iterator[str]:
    r"""A command's help: its paragraphs, and as they stand those that begin with \b."""
    for part in re.split(r"\n\s*\n", help_text.strip()):
        if part.startswith("\b"):
            yield from (f"    {line}" for line in part.removeprefix("\b").strip("\n").split("\n"))
        else:
            yield escaped(" ".join(part.split()))
        yield ""


def escaped(text: str) -> str:
    """Text with `code` in it, so that Markdown changes nothing else of it."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([*_<>\[\]#|$])", r"\\\1", part)
        for part in parts
    )
