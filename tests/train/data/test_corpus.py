"""Which recordings a folder holds, and what is wrong with it when something is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.recordings import write_corpus
from wn_runtime.errors import WavestepError
from wn_train.data import corpus


def test_metadata_gives_files_splits_and_conditions(tmp_path: Path) -> None:
    found = corpus.read(write_corpus(tmp_path))
    assert [c.name for c in found.conditions] == ["speaker"]
    assert found.conditions[0].values == ("high", "low")
    assert [r.split for r in found.recordings].count("valid") == 2


def test_without_metadata_folders_are_speakers(tmp_path: Path) -> None:
    for speaker in ("ann", "bob"):
        write_corpus(tmp_path / speaker, files=20, seconds=0.01)
        (tmp_path / speaker / "metadata.csv").unlink()
    found = corpus.read(tmp_path)
    assert found.conditions[0].values == ("ann", "bob")
    assert {r.split for r in found.recordings} == {"train", "valid"}


@pytest.mark.parametrize(("files", "held_back"), [(1, []), (2, [1]), (19, [18]), (45, [19, 39])])
def test_without_a_split_every_20th_or_the_last_of_a_few_is_held_back(
    tmp_path: Path, files: int, held_back: list[int]
) -> None:
    for speaker, count in (("ann", files), ("bob", 2)):
        (tmp_path / speaker).mkdir()
        for i in range(count):
            (tmp_path / speaker / f"{i:02}.wav").touch()
    found = corpus.read(tmp_path).recordings[:files]
    assert [i for i, r in enumerate(found) if r.split == "valid"] == held_back


def test_a_plus_makes_a_multi_hot_condition(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text(
        "file,mood,split\na.wav,calm+loud,train\nb.wav,,valid\nc.wav,calm,train\n"
    )
    condition = corpus.read(tmp_path).conditions[0]
    assert (condition.kind, condition.values) == ("tags", ("calm", "loud"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speaker\nann\n", "no column 'file'"),
        ("file,split\n", "lists no files"),
        ("file,speaker,split\na.wav,ann\n", "line 2: expected 3 columns"),
        ("file,split\na.wav,trian\n", "line 2: split 'trian' is unknown.*did you mean 'train'"),
        ("file,split\na.wav,train\n", "no recording in split 'valid'"),
    ],
)
def test_a_faulty_metadata_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "metadata.csv").write_text(text)
    with pytest.raises(WavestepError, match=message):
        corpus.read(tmp_path)


def test_an_unknown_column_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match="column 'speeker' is unknown; it has: speaker"):
        corpus.read(write_corpus(tmp_path), ["speeker"])


def test_no_folder_and_an_empty_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match=r"is not a folder"):
        corpus.read(tmp_path / "none")
    with pytest.raises(WavestepError, match=r"neither metadata.csv nor"):
        corpus.read(tmp_path)
