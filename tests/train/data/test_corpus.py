"""Which recordings a folder holds, and what is wrong with it when something is."""

from __future__ import annotations

import os
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


def test_no_column_may_be_asked_for(tmp_path: Path) -> None:
    found = corpus.read(write_corpus(tmp_path), columns=())
    assert found.conditions == ()
    assert all(recording.values == {} for recording in found.recordings)
    assert len(found.recordings) == 6


def test_without_metadata_folders_are_speakers(tmp_path: Path) -> None:
    for speaker in ("ann", "bob"):
        write_corpus(tmp_path / speaker, files=20, seconds=0.01)
        (tmp_path / speaker / "metadata.csv").unlink()
    found = corpus.read(tmp_path)
    assert found.conditions[0].values == ("ann", "bob")
    assert {r.split for r in found.recordings} == {"train", "valid"}


def test_recordings_in_no_folder_are_of_one_speaker(tmp_path: Path) -> None:
    write_corpus(tmp_path, files=20, seconds=0.01)
    (tmp_path / "metadata.csv").unlink()
    (tmp_path / "notes").mkdir()
    found = corpus.read(tmp_path)
    assert found.conditions == ()
    assert [r.split for r in found.recordings].count("valid") == 1


def test_recordings_beside_speakers_are_nobodys(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "ann"):
        write_corpus(folder, files=2, seconds=0.01)
        (folder / "metadata.csv").unlink()
    with pytest.raises(WavestepError, match=r"of speakers \(ann/\) and, as .*\.wav, of nobody"):
        corpus.read(tmp_path)


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
        ("file,split\na.wav,train\n", r"a\.wav: .*; mend or remove it"),
        ("file\na.wav\na.wav\n", "line 3: 'a.wav' is listed twice, and would be in train and in"),
        ("", "no column 'file'; it has: none"),
        ("file,a,a\nx.wav,1,2\n", "has two columns 'a'; rename one"),
        ("file,,a\nx.wav,1,2\n", "the name of column 2 has 0 characters"),
        (f"file,{'a' * 300}\nx.wav,1\n", "the name of column 2 has 300 characters"),
        ("," * 300, "has 301 columns; at most 256 are read"),
        pytest.param(
            "file,split\n" + "a" * 200_000, "as CSV: line 2 has 200000 characters", id="long line"
        ),
        pytest.param(
            'file,split\n"' + "a\n" * 100_000, "as CSV: field larger than field limit", id="quote"
        ),
        ('file,split\na.wav,"train\n', "line 2: split 'train.*' is unknown"),
        ("file,split\n\0.wav,train\n", "it holds NUL bytes"),
        ("file,2nd\na.wav,x\nb.wav,x\n", "column '2nd': condition name '2nd' is not an identif"),
        ("file,the mood\na.wav,x\nb.wav,x\n", "column 'the mood': .* is not an identifier"),
        ("file,seed\na.wav,x\nb.wav,x\n", "column 'seed': condition name 'seed' means .*rename it"),
        ("file,self\na.wav,x\nb.wav,x\n", "column 'self': .*rename it"),
        ("file,temperature\na.wav,x\nb.wav,x\n", "column 'temperature': .*rename it"),
        ("file,mood\na.wav,a\x1b[2Jb\nb.wav,x\n", "column 'mood': .* holds control characters"),
        (f"file,mood\na.wav,{'x' * 300}\nb.wav,x\n", "column 'mood': .* longer than 200 bytes"),
        ("file,mood\na.wav,+\nb.wav,\n", "condition 'mood' has no value in any recording"),
        ("file,gain\na.wav,loud\nb.wav,0\n", "line 2: gain is 'loud'; it must be decibels"),
        ("file,gain\na.wav,0\nb.wav,nan\n", "line 3: gain is 'nan'; it must be decibels"),
        ("file,gain\na.wav,0\nb.wav,121\n", "line 3: gain is '121'; .* -120 to 120"),
    ],
)
def test_a_faulty_metadata_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "metadata.csv").write_text(text)
    with pytest.raises(WavestepError, match=message) as error:
        corpus.read(tmp_path)
    assert len(str(error.value)) < 1000


def test_a_metadata_file_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    for encoding in ("latin-1", "utf-16", "utf-32"):
        (tmp_path / "metadata.csv").write_bytes("file,split\nä.wav,train\n".encode(encoding))
        with pytest.raises(WavestepError, match=r"metadata\.csv cannot be read as CSV: .*codec"):
            corpus.read(tmp_path)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    text = "\ufefffile,split\na.wav,train\n\nb.wav,valid\n"
    (tmp_path / "metadata.csv").write_text(text)
    assert len(corpus.read(tmp_path).recordings) == 2


def test_a_metadata_file_that_is_none_is_not_waited_for(tmp_path: Path) -> None:
    metadata = tmp_path / "metadata.csv"
    sparse = tmp_path / "sparse"
    sparse.touch()
    os.truncate(sparse, 2**40)
    os.mkfifo(tmp_path / "pipe")
    for target, reason in (
        (tmp_path / "pipe", "it is a named pipe"),
        (Path("/dev/zero"), "it is a device"),
        (tmp_path, "directory"),
        (sparse, "it has 1099511627776 bytes"),
    ):
        metadata.symlink_to(target)
        with pytest.raises(WavestepError, match=f"cannot be read as CSV: .*{reason}"):
            corpus.read(tmp_path)
        metadata.unlink()


def test_a_list_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "MOST_RECORDINGS", 3)
    (tmp_path / "metadata.csv").write_text("file\n" + "a.wav\n" * 4)
    with pytest.raises(WavestepError, match="lists over 3 files"):
        corpus.read(tmp_path)


def test_names_that_pytorch_has_for_other_things_are_names_like_others(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file,type,train\na.wav,x,y\nb.wav,x,y\n")
    assert [c.name for c in corpus.read(tmp_path).conditions] == ["type", "train"]


def test_blanks_around_values_and_tags_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file,mood\na.wav, calm + loud \nb.wav, calm\n")
    found = corpus.read(tmp_path)
    assert found.conditions[0].values == ("calm", "loud")
    assert [r.values["mood"] for r in found.recordings] == ["calm+loud", "calm"]


def test_a_folder_whose_name_is_no_text_is_one_line(tmp_path: Path) -> None:
    for name in (b"ann", b"\xff\xfe", b"b\x1b[2J"):
        speaker = tmp_path / os.fsdecode(name)
        speaker.mkdir()
        (speaker / "0.wav").touch()
        (speaker / "1.wav").touch()
    with pytest.raises(
        WavestepError, match=r"a value of condition 'speaker' .* control characters"
    ):
        corpus.read(tmp_path)


def test_a_file_may_be_called_anything(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    for name in (b"\xff.wav", b"\n.wav"):
        (tmp_path / "ann" / os.fsdecode(name)).touch()
    assert len(corpus.read(tmp_path).recordings) == 2


def test_an_unknown_column_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match="column 'speeker' is unknown; it has: speaker"):
        corpus.read(write_corpus(tmp_path), ["speeker"])


def test_without_metadata_the_folder_is_what_lacks_a_column(tmp_path: Path) -> None:
    for speaker in ("ann", "bob"):
        (tmp_path / write_corpus(tmp_path / speaker) / "metadata.csv").unlink()
    for columns, framed, message in (
        (["speeker"], False, r"column 'speeker' is unknown; without metadata\.csv it has: speaker"),
        (None, True, r" has no metadata\.csv with a column 'frames', which \[model\.frames\] asks"),
    ):
        with pytest.raises(WavestepError, match=message) as told:
            corpus.read(tmp_path, columns, framed)
        assert str(told.value).startswith(f"{tmp_path}{' ' if framed else ': '}")


def test_of_a_lonely_recording_nobody_says_the_split(tmp_path: Path) -> None:
    write_corpus(tmp_path, files=1)
    (tmp_path / "metadata.csv").write_text("file\n0.wav\n")
    assert [each.split for each in corpus.read(tmp_path).recordings] == [corpus.UNSAID]
    (tmp_path / "metadata.csv").write_text("file,split\n0.wav,train\n")
    with pytest.raises(WavestepError, match=r"has no recording in split 'valid'; add some, or"):
        corpus.read(tmp_path)
    (tmp_path / "0.wav").write_bytes(b"")
    with pytest.raises(WavestepError, match=r"0\.wav: .*; mend or remove it"):
        corpus.read(tmp_path)


def test_a_lonely_recording_is_trained_on_where_others_are_held_back(tmp_path: Path) -> None:
    for speaker, files in (("ann", 1), ("bob", 3)):
        (write_corpus(tmp_path / speaker, files) / "metadata.csv").unlink()
    found = corpus.read(tmp_path).recordings
    assert [each.split for each in found] == ["train", "train", "train", "valid"]


def test_a_split_without_recordings_is_told(tmp_path: Path) -> None:
    metadata = write_corpus(tmp_path) / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("valid", "train"))
    with pytest.raises(WavestepError, match=r"split 'valid'; add some, or name it in a column spl"):
        corpus.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a/b/c.wav", r"a/b/c\.wav lies deeper: list such files in metadata\.csv"),
        ("a/b.MP3", r"a/b\.MP3 is none of them: convert it, as ffmpeg does, to \.wav"),
        ("notes.txt", "put recordings into it, or give another folder"),
    ],
)
def test_what_a_folder_has_in_place_of_recordings_is_told(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(WavestepError, match=f"no <speaker>/.*; {message}"):
        corpus.read(tmp_path)


def test_no_folder_and_an_empty_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match=r"is not a folder"):
        corpus.read(tmp_path / "none")
    with pytest.raises(WavestepError, match=r"no metadata.csv, no <speaker>"):
        corpus.read(tmp_path)
