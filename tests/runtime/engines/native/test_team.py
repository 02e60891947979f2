"""One stream by several threads: the samples of one, and nobody waits for ever."""

from __future__ import annotations

import _thread
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.law.engines import verify_engine_contract
from tests.models.specs import (
    CORNERS,
    random_bias,
    random_samples,
    random_uniforms,
    random_weights,
    small_spec,
)
from tests.runtime.engines.native.models import SPECS
from tests.runtime.engines.native.program import Output, Program
from tests.runtime.engines.native.targets import needs_compiler
from tests.runtime.engines.native.test_program import (
    ARM_GCC,
    ARM_LIBC,
    QEMU,
    arm,
    needs_gcc,
)
from wn_runtime.engines.native import compiler
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import DELAY_LINES

pytestmark = needs_compiler
PATIENCE = 300
"""Seconds after which a test that waits is taken to wait for ever."""
BLOCKS = (1, 7, 40, 3, 64)
HELD = (1, 4)
"""Samples that a row of bias is for, where that divides a block."""


def pair(spec: ModelSpec, precision: str, threads: int) -> tuple[NativeEngine, NativeEngine]:
    weights = random_weights(spec)
    return (
        NativeEngine(spec, weights, precision, 1, threads),
        NativeEngine(spec, weights, precision),
    )


def same(together: NativeEngine, alone: NativeEngine, blocks: tuple[int, ...] = BLOCKS) -> None:
    """Blocks of both are the same to the bit, and so is the state after them."""
    for steps, held in ((n, held) for n in blocks for held in HELD if n % held == 0):
        bias = random_bias(alone.spec, 1, steps // held)
        drawn = random_uniforms(steps, each=alone.spec.output.uniforms)
        made = together.generate(bias, drawn)
        np.testing.assert_array_equal(made, alone.generate(bias, drawn))
        np.testing.assert_array_equal(together.score(made, bias), alone.score(made, bias))
    found, expected = together.snapshot(), alone.snapshot()
    np.testing.assert_array_equal(found[DELAY_LINES], expected[DELAY_LINES])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    "name", ["wide", "amplitudes", "left", "near", "far", "kernel_3", "one_layer", "random_1"]
)
def test_threads_make_what_one_makes_to_the_bit(name: str, precision: str) -> None:
    together, alone = pair(SPECS[name], precision, 3)
    same(together, alone)
    together.close()


def test_it_obeys_the_contract_with_threads() -> None:
    spec = SPECS["wide"]
    weights = random_weights(spec)
    engine = NativeEngine(spec, weights, "fp32", 1, 3)
    assert engine.note == "3 threads"
    verify_engine_contract(engine, weights, tolerance=2e-6)
    engine.close()


def test_threads_beyond_the_streams_help_each_of_them() -> None:
    spec, batch, steps = SPECS["wide"], 2, 40
    weights, drawn = random_weights(spec), random_uniforms(steps, batch)
    engine = NativeEngine(spec, weights, "int8", batch, 4)
    assert engine.note == "4 threads"
    expected = NativeEngine(spec, weights, "int8", batch).generate(None, drawn)
    np.testing.assert_array_equal(engine.generate(None, drawn), expected)
    engine.close()


def test_no_more_threads_are_started_than_find_columns() -> None:
    spec = CORNERS["plain"]  # its skip sums are one part
    engine = NativeEngine(spec, random_weights(spec), "int8", 1, 7)
    assert engine.note == "2 threads"
    engine.close()


@pytest.mark.parametrize("name", ["wide", "left"])
def test_helpers_that_never_come_are_not_waited_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: 0)
    together, alone = pair(SPECS[name], "int8", 3)
    assert together.note == "3 threads"
    same(together, alone)
    together.close()


def test_threads_that_cannot_be_had_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", none_left)
    spec = SPECS["wide"]
    with pytest.raises(WavestepError, match=r"3 threads cannot be had .*; give --threads 1"):
        NativeEngine(spec, random_weights(spec), "int8", 1, 3)


def threads_here() -> set[str]:
    return {task.name for task in Path("/proc/self/task").iterdir()}


def eventually(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
@pytest.mark.parametrize("how", ["closed", "forgotten"])
def test_its_threads_leave_with_the_engine(how: str) -> None:
    spec, before = SPECS["wide"], threads_here()
    engine = NativeEngine(spec, random_weights(spec), "int8", 1, 3)
    engine.generate(None, random_uniforms(9))
    own = threads_here() - before  # of other tests some may still be on their way out
    assert len(own) == 2
    if how == "closed":
        engine.close()
    del engine
    assert eventually(lambda: not own & threads_here())


ALONE_ON_A_CORE = """
    import os, sys
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from tests.runtime.engines.native.test_team import SPECS, pair, same
    together, alone = pair(SPECS[{name!r}], "int8", 3)
    {more}
    same(together, alone, (64, 1, 640, 64))
    together.close()
    print("done")
"""
TAKE_AWAY = """
    import threading, time
    def take_away():
        cores = sorted(os.sched_getaffinity(0))
        for turn in range(200):
            for task in os.listdir("/proc/self/task"):
                try:
                    os.sched_setaffinity(int(task), {cores[turn % len(cores)]})
                except OSError:
                    pass
            time.sleep(0.005)
    threading.Thread(target=take_away, daemon=True).start()
"""


def finished(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinity masks")
@pytest.mark.parametrize("name", ["far", "left"])
@pytest.mark.parametrize("more", ["", TAKE_AWAY], ids=["one core", "cores taken away"])
def test_without_a_core_for_each_it_is_slower_and_goes_on(more: str, name: str) -> None:
    program = textwrap.dedent(ALONE_ON_A_CORE)
    if more:
        program = program.replace("os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n", "")
    program = program.replace("{name!r}", repr(name))
    assert finished(program.replace("{more}", textwrap.dedent(more))) == "done\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_starts_helpers_of_its_own() -> None:
    together, alone = pair(SPECS["wide"], "int8", 3)
    same(together, alone)
    child = os.fork()
    if not child:
        code = 1
        try:
            same(together, alone)
            code = 0 if len(threads_here()) == 3 else 2
        finally:
            os._exit(code)
    assert eventually(lambda: os.waitpid(child, os.WNOHANG) == (child, 0))
    same(together, alone)
    together.close()


# A helper has made the last sample, and had not said so when the process was forked off.
FORKED_BETWEEN = """
#include "wavenet.c"
#include <stdlib.h>
int main(int count, char **arguments) {
    model *m = aligned_alloc(128, (sizeof *m + 127) / 128 * 128);
    state *s = aligned_alloc(128, (sizeof *s + 127) / 128 * 128);
    memset(m, 0, sizeof *m);
    memset(s, 0, sizeof *s);
    int32_t uniforms[4 * UNIFORMS] = {0};
    const float temperature[BATCH] = {1};
    sample samples[4];
    wn_generate(m, s, 1, 4, 0, 1, 0, 0, uniforms, temperature, samples);
    atomic_fetch_sub(&s->team.made[1].count, 1);
    if (count > 1) wn_forked(s);
    wn_generate(m, s, 1, 4, 0, 1, 0, 0, uniforms, temperature, samples);
    return 0;
}
"""


@needs_gcc
def test_a_fork_before_a_helper_has_said_that_it_is_done(tmp_path: Path) -> None:
    shapes = Shapes(SPECS["left"], "fp32", 1)
    (tmp_path / "shapes.h").write_text(shapes.header())
    (tmp_path / "head.h").write_text(shapes.head_source())
    (tmp_path / "main.c").write_text(FORKED_BETWEEN)
    program = str(tmp_path / "main")
    include = ["-I", str(tmp_path), "-I", str(compiler.SOURCE)]
    command = ["gcc", "-O1", "-pthread", *include, str(tmp_path / "main.c"), "-o", program, "-lm"]
    subprocess.run(command, check=True)
    subprocess.run([program, "forked"], check=True, timeout=PATIENCE)
    with pytest.raises(subprocess.TimeoutExpired):  # it is what this is about
        subprocess.run([program], check=True, timeout=2)


DEEP = small_spec((1, 2, 4, 8) * 3, residual=32, gate=64, skip=200, head=200, classes=256)
RACES = ("-fsanitize=thread", "-fno-builtin", "-O1", "-g1")
"""Without builtins: of a copy that GCC expands in place the sanitizer sees nothing."""
LATE_SUMS = "const delay_line line = jobs->line[i];"
RAISE = "atomic_store_explicit(&f->count, n, memory_order_release);"
ONLY_RAISE = """
    uint64_t was = atomic_load_explicit(&f->count, memory_order_relaxed);
    while (was < n && !atomic_compare_exchange_weak_explicit(
                          &f->count, &was, n, memory_order_release, memory_order_relaxed)) {}
"""
"""Where nobody has waited, a late thread sets the counter back, and the others wait for ever."""


def run(program: Program, spec: ModelSpec, helpers: int) -> Output:
    """What a program makes; its helpers had a part in it, however busy this machine is."""
    steps, end = 200, time.monotonic() + PATIENCE
    while True:
        output = program.run(
            random_samples(spec, steps, 1),
            random_uniforms(steps, 1),
            random_bias(spec, 1, 4),
            helpers=helpers,
        )
        if not helpers or output.missed < 2 * steps * helpers - steps // 10:
            return output
        assert time.monotonic() < end, f"helpers missed {output.missed} shares"


def equal(one: Output, other: Output) -> None:
    np.testing.assert_array_equal(one.params, other.params)
    np.testing.assert_array_equal(one.samples, other.samples)
    np.testing.assert_array_equal(one.state[DELAY_LINES], other.state[DELAY_LINES])


@needs_gcc
@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("spec", [DEEP, SPECS["near"], SPECS["left"]], ids=["deep", "near", "left"])
def test_threads_do_not_race(tmp_path: Path, spec: ModelSpec, precision: str) -> None:
    """Of `deep` helpers have columns alone; of `near` older taps, of `left` later ones, too."""
    command = ("gcc", "-march=native", *RACES)
    program = Program(tmp_path, Shapes(spec, precision, 1), random_weights(spec), command)
    alone = run(program, spec, 0)
    for helpers in (1, 3):
        equal(run(program, spec, helpers), alone)


@needs_gcc
@pytest.mark.parametrize(
    ("wait", "instead", "spec"),
    [
        ("await(&t->rows, needed);\n            known = seen(&t->rows);", "known = needed;", DEEP),
        ("await(&t->made[k], done);", ";", DEEP),
        ("if (spin(&t->made[k], phases, LATE_NS)) return;", "return;", DEEP),
        ("await_helper(team, k, sample * PHASES);", ";", SPECS["left"]),
    ],
    ids=["z", "phases", "shares", "sums"],
)
def test_a_wait_left_out_is_seen_as_a_race(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: str, instead: str, spec: ModelSpec
) -> None:
    source = tmp_path / "source"
    shutil.copytree(compiler.SOURCE, source)
    text = (source / "shares.h").read_text()
    assert text.count(wait) == text.count(LATE_SUMS) == 1
    # So late that the chain's thread has the next sample's share before the helper is back.
    text = text.replace(LATE_SUMS, f"{LATE_SUMS} nap(20 * NAP_NS);")
    (source / "shares.h").write_text(text.replace(wait, instead))
    flags = (source / "flags.h").read_text()
    assert flags.count(RAISE) == 1
    (source / "flags.h").write_text(flags.replace(RAISE, ONLY_RAISE))
    monkeypatch.setattr(compiler, "SOURCE", source)
    monkeypatch.setenv("TSAN_OPTIONS", "halt_on_error=1")
    program = Program(
        tmp_path, Shapes(spec, "fp32", 1), random_weights(spec), ("gcc", "-march=native", *RACES)
    )
    with pytest.raises(AssertionError, match="ThreadSanitizer: data race"):
        run(program, spec, 3)


@arm
@pytest.mark.parametrize("march", ["armv8.2-a+dotprod", "armv8.6-a"])
def test_threads_make_what_one_makes_on_arm(tmp_path: Path, march: str) -> None:
    spec = DEEP
    command = (ARM_GCC, f"-march={march}")
    emulator = (QEMU, "-cpu", "max", "-L", ARM_LIBC)
    program = Program(tmp_path, Shapes(spec, "int8", 1), random_weights(spec), command, emulator)
    equal(run(program, spec, 2), run(program, spec, 0))
