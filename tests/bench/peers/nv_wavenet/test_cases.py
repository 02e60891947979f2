"""What a program of driver.cu does with its cases is entered, hanging and failing too."""

from __future__ import annotations

import sys

import pytest

from bench.peers.nv_wavenet.cases import Case, measure

ALL = ((1, 1), (4, 4), (16, 4))


def run(code: str, seconds: float = 60) -> list[Case]:
    """The cases after a stand-in program; `words` is what it was given."""
    cases = [Case(*each) for each in ALL]
    program = f"import sys, time\nwords = sys.argv[1:]\n{code}"
    measure([sys.executable, "-I", "-u", "-c", program], cases, seconds)
    return cases


def test_a_figure_is_the_median_of_the_runs() -> None:
    one, four, sixteen = run(
        "print('67 blocks, 2 blocks per SM\\nfirst 128 7 9')\n"
        "for word in words: print('\\ntimed', word, 1000, 0.5, 0.25, 9)"
    )
    assert (one.status, one.samples_per_second, one.samples) == ("ok", 2000, 1000)
    assert (one.first, four.first) == ([128, 7, 9], [])
    assert sixteen.seconds == [0.5, 0.25, 9]


def test_after_one_refused_the_others_are_tried() -> None:
    code = "for word in words: print('refused' if word == '4:4' else 'timed', word, *W[word])"
    cases = run("W = {'1:1': [8, 1], '4:4': [], '16:4': [8, 2]}\n" + code)
    assert [case.status for case in cases] == ["ok", "refused", "ok"]
    assert [case.samples_per_second for case in cases] == [8, None, 4]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("time.sleep(600)", "hung"),
        ("while True: print('67 blocks')", "hung"),
        ("sys.exit('GPUassert: launch failure')", "failed: GPUassert: launch failure"),
        ("sys.exit(3)", "failed: it said nothing"),
    ],
)
def test_after_one_that_hangs_or_fails_the_others_are_left(code: str, status: str) -> None:
    cases = run(f"print('timed', words[0], 8, 1)\n{code}", seconds=5 if status == "hung" else 60)
    assert [case.status for case in cases] == ["ok", status, "not tried"]
