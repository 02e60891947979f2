"""Strict dataclasses: unions told apart by `kind`, and one line for whatever does not fit."""

from __future__ import annotations

import json
from abc import ABC
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.model import strict


class Shape(ABC):
    kind: ClassVar[str]


@dataclass(frozen=True)
class Circle(Shape):
    radius: float = 1.0

    kind: ClassVar[str] = "circle"


@dataclass(frozen=True)
class Square(Shape):
    side: int
    inner: Shape | None = None

    kind: ClassVar[str] = "square"


@dataclass(frozen=True)
class Drawing:
    main: Shape = field(default_factory=Circle)
    others: tuple[Shape, ...] = ()
    named: dict[str, Shape] = field(default_factory=dict)
    title: str | None = None


SHAPES: dict[str, type[Shape]] = {"circle": Circle, "square": Square}


@pytest.fixture(autouse=True)
def shapes_are_a_union(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict, "_UNIONS", {**strict._UNIONS})
    strict.tagged(Shape, SHAPES)


def parse(data: object) -> Drawing:
    return strict.parse(Drawing, data, "file.json")


@pytest.mark.parametrize(
    "drawing",
    [
        Drawing(),
        Drawing(Square(3), (Circle(0.5), Square(2, Circle())), {"a": Square(1)}, "all of them"),
        Drawing(Square(1, Square(2, Square(3)))),
    ],
)
def test_a_union_survives_json_wherever_it_stands(drawing: Drawing) -> None:
    assert parse(json.loads(json.dumps(strict.plain(drawing)))) == drawing


def test_the_tag_is_the_first_key_that_is_written() -> None:
    assert next(iter(strict.plain(Square(3)).items())) == ("kind", "square")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"main": {"radius": 2}}, "main: key 'kind' is missing; it is one of: circle, square"),
        ({"main": {"kind": "circel"}}, r"main: kind 'circel' is unknown.*did you mean 'circle'\?"),
        ({"main": {"kind": 3}}, "main: kind: expected str, got 3"),
        ({"main": {"kind": ["circle"]}}, r"main: kind: expected str, got \['circle'\]"),
        ({"main": "circle"}, "main: expected a table of keys, got 'circle'"),
        ({"main": {"kind": "circle", "side": 2}}, "main: key 'side' is unknown; the keys are: rad"),
        ({"main": {"kind": "square"}}, "main: key 'side' is missing"),
        ({"main": {"kind": "square", "side": 1.5}}, "main: side: expected int, got 1.5"),
        ({"others": [{"kind": "circle"}, {}]}, r"others\[1\]: key 'kind' is missing"),
        ({"others": {"kind": "circle"}}, "others: expected a list"),
        ({"named": {"x": {"kind": "cube"}}}, "named.x: kind 'cube' is unknown"),
        ({"named": [1]}, "named: expected a table of keys"),
        ({"title": 3}, "title: expected str, got 3"),
        ({"tite": "x"}, r"key 'tite' is unknown.*did you mean 'title'\?"),
        ([], r"expected a table of keys, got \[\]"),
    ],
)
def test_what_does_not_fit_is_one_line_with_its_place(data: Any, message: str) -> None:
    with pytest.raises(WavestepError, match=f"^file.json: {message}") as error:
        parse(data)
    assert "\n" not in str(error.value)


def test_a_kind_added_later_is_known_too(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Star(Shape):
        kind: ClassVar[str] = "star"

    monkeypatch.setitem(SHAPES, "star", Star)
    assert parse({"main": {"kind": "star"}}).main == Star()


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(WavestepError, match=r"got 'x{56}\.\.\.$"):
        parse({"main": "x" * 1000})
