"""CMU's dictionary comes with pocketsphinx; the user's own takes its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from wn_train.alignment import pronunciations
from wn_train.alignment.forced import PHONES


def test_the_dictionary_of_pocketsphinx() -> None:
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    known = pronunciations.load()
    assert len(known.pronunciations) > 100_000
    assert known.pronunciations["zero"] == (("Z", "IH", "R", "OW"), ("Z", "IY", "R", "OW"))
    assert set(known.phones) == set(PHONES)
    assert (pronunciations.acoustic_model() / "mdef").is_file()


def test_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.dict"
    path.write_text("wavestep W EY1 V S T EH2 P\n")
    assert list(pronunciations.load(path).pronunciations) == ["wavestep"]
