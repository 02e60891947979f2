"""A checkpoint is written whole, or the older one stays."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest
import torch

from tests.train.checkpoint.made import checkpoint_of, members, written
from wn_runtime.errors import WavestepError
from wn_train import checkpoint


def test_a_full_disk_keeps_the_older_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = written(tmp_path / "best.pt")
    before = saved.read_bytes()

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WavestepError, match="No space left on device; the older one is kept"):
        checkpoint.save(saved, checkpoint_of())
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == ["best.pt"]


@pytest.mark.parametrize("most", [0, 100, 5000, 20_000])
def test_a_disk_that_takes_no_more_within_it_does_too(
    tmp_path: Path, most: int, capfd: pytest.CaptureFixture[str]
) -> None:
    saved = written(tmp_path / "best.pt")
    before = saved.read_bytes()
    assert len(before) > 20_000
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        with pytest.raises(WavestepError) as error:
            checkpoint.save(saved, checkpoint_of())
        with pytest.raises(WavestepError, match="nothing is left of it"):
            checkpoint.save(tmp_path / "new.pt", checkpoint_of())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert str(error.value) == f"{saved} cannot be written: File too large; the older one is kept"
    assert "\n" not in str(error.value)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == ["best.pt"]
    assert capfd.readouterr() == ("", "")


def test_tensors_lie_row_by_row_in_storages_of_their_own(tmp_path: Path) -> None:
    made = checkpoint_of()
    large = torch.arange(1000)
    made.clips = [{"samples": large[10:15], "conditions": {}}]
    name = "layers.0.gate.weight"
    made.ema[name] = made.ema[name].permute(2, 1, 0).contiguous().permute(2, 1, 0)
    checkpoint.save(tmp_path / "best.pt", made)
    read = checkpoint.load(tmp_path / "best.pt")
    assert read.clips[0]["samples"].tolist() == [10, 11, 12, 13, 14]
    assert torch.equal(read.ema[name], made.ema[name])
    sizes = {name: len(data) for name, data in members(tmp_path / "best.pt").items()}
    assert max(size for name, size in sizes.items() if "/data/" in name) < 8000
