"""wn-train's configuration: a value or a WavestepError, whatever TOML holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.fuzz.anything import ANYTHING, BRIEF, SHAPED, one_line, parsed
from tests.fuzz.hostile import JSON
from wn_runtime.errors import WavestepError
from wn_runtime.model import strict
from wn_train import config
from wn_train.config import Config

GOOD: dict[str, Any] = strict.plain(Config())
KEYS = [(table, key) for table in ("model", "data", "training") for key in GOOD[table]]


@BRIEF
@given(ANYTHING | SHAPED)
def test_a_configuration_of_anything(data: object) -> None:
    parsed(Config, data)


@pytest.mark.parametrize(("table", "key"), KEYS, ids=[f"{table}.{key}" for table, key in KEYS])
def test_a_hostile_value_for_every_key(
    tmp_path_factory: pytest.TempPathFactory, table: str, key: str
) -> None:
    path = tmp_path_factory.mktemp("config") / "c.toml"
    for name, text in JSON.items():
        if name.startswith("long"):  # a second each in tomllib
            continue
        path.write_text(f"[{table}]\n{key} = {text}\n", "utf-8", "surrogatepass")
        try:
            config.load("tiny", path)
        except WavestepError as error:
            one_line(error)
