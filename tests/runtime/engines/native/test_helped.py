"""What predictions know of helpers' older taps is what the C code does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.models.specs import random_spec
from tests.runtime.engines.native.models import SPECS
from tests.runtime.engines.native.test_program import needs_gcc
from wn_runtime.engines.native import compiler
from wn_runtime.engines.native.helped import left_layers, shares_taps, tap_steps
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work
from wn_targets.presets import PRESETS

MODELS: dict[str, ModelSpec] = {**SPECS, **PRESETS, **{f"r{n}": random_spec(n) for n in range(8)}}
ASKS = """
/* Of the engine nothing is compiled that is not asked. */
#define EXPORT static __attribute__((unused))
#include "wavenet.c"
#include <stdio.h>
int main(void) {
    printf("%d %d", TAP_STEPS, SHARE_TAPS);
    for (int helpers = 1; helpers <= MOST_HELPERS; helpers++) {
        unsigned char left[LAYERS];
        printf(" %d", leave_sums(left, helpers));
    }
    return 0;
}
"""


@needs_gcc
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_code_leaves_what_is_predicted(precision: str, tmp_path: Path) -> None:
    (tmp_path / "asks.c").write_text(ASKS)
    some_left = 0
    for name, spec in MODELS.items():
        shapes = Shapes(spec, precision, 1)
        (tmp_path / "shapes.h").write_text(shapes.header())
        (tmp_path / "head.h").write_text(shapes.head_source())
        command = [
            "gcc",
            "-O1",
            "-w",
            "-I",
            str(tmp_path),
            "-I",
            str(compiler.SOURCE),
        ]
        program = str(tmp_path / "asks")
        subprocess.run([*command, str(tmp_path / "asks.c"), "-o", program, "-lm"], check=True)
        steps, shared, *left = map(int, subprocess.check_output(program).split())
        work = Work.of(spec)
        assert (steps, bool(shared)) == (tap_steps(work, precision), shares_taps(work)), name
        assert left == [left_layers(work, precision, n + 1) for n in range(len(left))], name
        some_left += any(left)
    assert some_left >= 2


def test_the_papers_model_leaves_nothing_to_one_helper_and_all_far_layers_to_two() -> None:
    work = Work.of(PRESETS["paper"])
    assert [left_layers(work, "int8", n) for n in (0, 1, 2)] == [0, 0, 18]
