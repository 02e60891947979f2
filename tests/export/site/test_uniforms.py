"""JavaScript draws the uniforms that Python draws, of every seed, stream and position."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.export.site.node import ask, needs_node
from wn_runtime.synthesis.uniforms import UniformStream

pytestmark = needs_node

SCRIPT = Path(__file__).with_name("uniforms.mjs")
SEEDS = (0, 1, 7, -1, -(2**53) + 1, 2**32 - 1, 2**32, 2**53 - 1)
LARGE = (2**53, -(2**63), 2**63, 2**64 - 1, 0x9E3779B97F4A7C15)
PLACES = (0, 1, 3, 4, 5, 4 * (2**32 - 2) + 3, 2**53 - 200)
COUNTS = (1, 2, 0, 30, 67)


def asked(seed: int, stream: int, position: int) -> dict[str, Any]:
    given = seed if abs(seed) < 2**53 else str(seed)
    return {"seed": given, "stream": stream, "position": position, "counts": COUNTS}


def test_the_same_uniforms_in_pieces_of_any_size() -> None:
    cases = [(seed, stream, 3) for seed in SEEDS + LARGE for stream in (0, 5, 2**32, 2**53 - 1)]
    cases += [(2**63 + 7, 2, position) for position in PLACES]
    answers = ask(SCRIPT, [asked(*case) for case in cases])
    for case, answer in zip(cases, answers, strict=True):
        expected = UniformStream(*case).draw(sum(COUNTS))
        assert answer == {"drawn": expected.tolist(), "position": case[2] + 100}, case


def test_a_bigint_is_the_number_it_is() -> None:
    number, text = ask(SCRIPT, [{**asked(-7, 1, 0), "seed": seed} for seed in (-7, "-7")])
    assert number == text


def test_a_seed_that_is_none_is_one_line() -> None:
    seeds: tuple[Any, ...] = (0.5, 2**53, str(2**64), str(-(2**63) - 1), None)
    answers = ask(SCRIPT, [{**asked(0, 0, 0), "seed": seed} for seed in seeds])
    for seed, answer in zip(seeds, answers, strict=True):
        shown = "null" if seed is None else str(seed)
        assert answer["error"].startswith(f"{shown} is no integer of 64 bits; give one")
