"""Probes run in another process, and whatever becomes of it is a finding."""

from __future__ import annotations

from wn_runtime.doctor.machine import Machine


def test_a_probe_that_crashes_hangs_or_babbles_is_an_answer_too() -> None:
    machine = Machine()
    crash = machine.python("import os; os.kill(os.getpid(), 11)")
    assert "signal 11" in crash["error"]
    hang = machine.python("while True: pass", timeout=0.2)
    assert "no answer in 0.2 s" in hang["error"]
    assert "error" in machine.python("print('not json')")
    assert machine.python("import warnings; print('noise'); print('{\"a\": 1}')") == {"a": 1}


def test_a_program_that_is_not_there_is_one_too() -> None:
    assert Machine().run(["/no/such/program"])[0] == 127
