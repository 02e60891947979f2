"""Twenty mistakes of a first hour, as they are answered: one line each, exit code 2.

    python -m bench.errors.mistakes digits/ > bench/results/mistakes.txt

digits/ is `wn-export examples/digits.pt -o digits`. Exit code 1 where an answer is not one line, or
the exit code not 2.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

MISTAKES = (
    "wn-run nothing/",
    "wn-run digits/",
    "wn-run digits/ --text seven",
    "wn-run digits/ --text seven --speaker jakson",
    "wn-run digits/ --text sevn --speaker jackson",
    "wn-run digits/ --text '' --speaker jackson",
    "wn-run digits/ --text seven --speaker jackson --seconds 0",
    "wn-run digits/ --text seven --speaker jackson -o seven.mp3",
    "wn-run digits/ --text seven --speaker jackson -o none/seven.wav",
    "wn-run digits/ --text seven --speaker jackson --temperature hot",
    "wn-run digits/ --text seven --speaker jackson --engine cude",
    "wn-run digits/ --text seven --speaker jackson --engine native --precision int4",
    "wn-run digits/ --text seven --speaker jackson --threads 0",
    "wn-run cut/ --text seven --speaker jackson",
    "wn-export digits.wav",
    "wn-export digits/ --target orin-nono",
    "wn-train empty/ -o run",
    "wn-train text.csv -o run",
    "wn-features digits/ -o frames",
    "wn-targets fit digits/ jetson",
    "wn-inspect cut.pt",
    "wn-parity digits/ --audio own.wav",
)


@click.command()
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(model: Path) -> None:
    """See the module."""
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        shutil.copytree(model, here / "digits")
        shutil.copytree(model, here / "cut")
        os.truncate(here / "cut" / "weights.safetensors", 100_000)
        (here / "digits.wav").write_bytes(b"RIFF")
        (here / "cut.pt").write_bytes(b"PK\3\4 and no more")
        (here / "text.csv").write_text("file\na.wav\n")
        (here / "empty").mkdir()
        for mistake in MISTAKES:
            done = subprocess.run(
                mistake,
                shell=True,
                cwd=here,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
            )
            said = (done.stdout + done.stderr).strip().splitlines()
            errors = [line for line in said if line.startswith("error: ")]
            right = done.returncode == 2 and len(errors) == 1 and said[-1] == errors[0]
            wrong += not right
            click.echo(f"$ {mistake}")
            for line in said:
                click.echo(f"  {line}")
            click.echo(f"  exit code {done.returncode}{'' if right else '   WRONG'}\n")
    click.echo(f"{len(MISTAKES)} mistakes, {wrong} of them answered wrongly")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
