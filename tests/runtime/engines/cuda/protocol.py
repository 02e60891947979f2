"""Who waits for whom in the cuda engine, as a machine of states to be explored whole.

Each role of each block is one process, written down from source/{gate,older,residual,skip,head}.cuh
as what it does to shared memory and what it waits for. A read takes two moves, its begin and its
end: what it reads must be the version it is meant to read at both. Barriers and signals are those
of the GPU: a barrier counts arrivals, a signal completes a phase once it has been armed and all of
it came, and a wait knows a phase by its parity alone, so that one who comes two phases late hangs.
"""

from __future__ import annotations

from dataclasses import dataclass

Move = tuple[str, ...]
"""(kind, name, …): `sync`/`arrive` of a barrier with one that waits, `meet`/`met`/`pass` of one
with several, `wait`/`arm`/`come` of a signal, `read`/`end` and `write` of a place; `post`, `carry`
and `collect` of a flagged place in global memory, which is written some time after it was posted.
Last comes a number in decimals: of a `wait` and of a barrier with several its phase, of a place its
version."""
Program = tuple[Move, ...]


@dataclass(frozen=True)
class Protocol:
    """Processes by name, arrivals that a barrier takes, and what a signal's phase takes."""

    programs: dict[str, Program]
    barriers: dict[str, int]
    signals: dict[str, int]


def cluster(
    blocks: int,
    layers: int,
    steps: int,
    without: str = "",
    early: bool = False,
    flags: bool = False,
) -> Protocol:
    """`blocks` of `layers` layers each, then the head's two; `without`: one kind of move left out.

    `layers` is 2 or more, as several.clustered has it of chained ones. early: no block's skip warps
    wait until the chain has left it. flags: they hand over by flags in global memory.
    """
    programs: dict[str, list[Move]] = {}
    barriers: dict[str, int] = {}
    signals = {} if flags else {"skip": blocks, "hidden": 1}

    def left_out(process: str, kind: str, name: str) -> bool:
        return without == f"{process.split('.')[0]} {kind} {name.split('.')[0]}"

    def add(process: str, kind: str, name: str, *number: int) -> None:
        if not left_out(process, kind, name):
            programs.setdefault(process, []).append((kind, name, *map(str, number)))

    def read(process: str, name: str, version: int) -> None:
        add(process, "read", name, version)
        add(process, "end", name, version)

    def post(process: str, name: str, version: int) -> None:
        add(process, "post", name, version)
        add(f"wire.{name}", "carry", name, version)

    def collect(process: str, name: str, version: int) -> None:
        if left_out(process, "collect", name):  # it takes what it finds
            return read(process, name, version)
        return add(process, "collect", name, version)

    def input_ready(process: str, b: int, t: int) -> None:
        if not flags:
            return add(process, "wait", f"h.{b}", t)
        add(process, "meet", f"input.{b}", t)
        if not left_out(process, "meet", "input"):
            add(process, "met", f"input.{b}", t)
        return None

    def hand_input(process: str, b: int, t: int) -> None:
        if flags:
            return post(process, f"input-mail.{b}", t)
        add(process, "write", f"row.{b}.0", t)
        add(process, "write", f"float.{b}", t)
        return add(process, "come", f"h.{b}")

    for b in range(blocks):
        if flags:
            barriers[f"input.{b}"] = 3
        else:
            signals[f"h.{b}"] = 1
        for slot in range(layers):
            signals[f"z.{b}.{slot}"] = 1
        barriers |= {f"{name}.{b}": 2 for name in ("sums", "layer0", "layer1", "done", "taken")}
        barriers |= {f"{name}{turn}.{b}": 2 for name in ("z", "given") for turn in (0, 1)}
        if not flags:
            add(f"residual.{b}", "arm", f"h.{b}")  # by the block, before it begins
        for slot in range(layers):
            add(f"older.{b}", "write", f"base.{b}.{slot}", 0)
    for name in () if flags else ("skip", "hidden"):
        add("head" if name == "skip" else "params", "arm", name)
    hand_input("params", 0, 0)

    for t in range(steps):
        for b in range(blocks):
            gate, older, residual, skip = (
                f"{role}.{b}" for role in ("gate", "older", "residual", "skip")
            )
            for slot in range(layers):
                if slot == 0:
                    add(gate, "sync", f"sums.{b}")
                    read(gate, f"base.{b}.0", t)
                    input_ready(gate, b, t)
                    read(gate, f"row.{b}.0", t)
                else:
                    add(gate, "sync", f"layer{slot & 1}.{b}")
                    read(gate, f"sum.{b}.{slot}", t)
                    read(gate, f"z.{b}.{slot - 1}", t)
                add(gate, "write", f"z.{b}.{slot}", t)
                add(gate, "arrive", f"z{slot & 1}.{b}")
                add(gate, "arm", f"z.{b}.{slot}")
                add(gate, "come", f"z.{b}.{slot}")

            add(older, "arrive", f"sums.{b}")
            for slot in range(1, layers):
                if slot == 1:
                    input_ready(older, b, t)
                else:
                    add(older, "sync", f"given{slot - 1 & 1}.{b}")
                read(older, f"row.{b}.{slot - 1}", t)
                add(older, "write", f"sum.{b}.{slot}", t)
                add(older, "arrive", f"layer{slot & 1}.{b}")
            add(older, "sync", f"given{layers - 1 & 1}.{b}")
            for slot in range(1, layers):
                read(older, f"row.{b}.{slot}", t)
            add(older, "sync", f"done.{b}")
            if t + 1 < steps:
                for slot in range(layers):  # in place of the sums that the gates have read
                    add(older, "write", f"base.{b}.{slot}", t + 1)
                    if slot > 0:
                        add(older, "write", f"sum.{b}.{slot}", -1)

            if flags:
                collect(residual, f"input-mail.{b}", t)
                add(residual, "write", f"row.{b}.0", t)
                add(residual, "pass", f"input.{b}", t)
            else:
                add(residual, "wait", f"h.{b}", t)
                add(residual, "arm", f"h.{b}")
                read(residual, f"float.{b}", t)
                add(residual, "arrive", f"taken.{b}")
            for slot in range(layers):
                if slot > 0:
                    add(residual, "write", f"row.{b}.{slot}", t)
                    add(residual, "arrive", f"given{slot & 1}.{b}")
                add(residual, "sync", f"z{slot & 1}.{b}")
                if b + 1 < blocks or slot + 1 < layers:
                    read(residual, f"z.{b}.{slot}", t)
            if b + 1 < blocks:
                hand_input(residual, b + 1, t)
            add(residual, "arrive", f"done.{b}")

            if not flags:
                add(skip, "sync", f"taken.{b}")
            if b + 1 < blocks and not early:
                add(skip, "wait", f"z.{b}.{layers - 1}", t)
            for slot in range(layers):
                add(skip, "wait", f"z.{b}.{slot}", t)
                read(skip, f"z.{b}.{slot}", t)
            if flags:
                post(skip, f"skip-mail.{b}", t)
                collect("head", f"skip-mail.{b}", t)
            else:
                add(skip, "write", f"share.{b}", t)
                add(skip, "come", "skip")
        if flags:
            post("head", "hidden-mail", t)
            collect("params", "hidden-mail", t)
        else:
            add("head", "wait", "skip", t)
            add("head", "arm", "skip")
            for b in range(blocks):
                read("head", f"share.{b}", t)
            add("head", "write", "hidden", t)
            add("head", "come", "hidden")
            add("params", "wait", "hidden", t)
            add("params", "arm", "hidden")
            read("params", "hidden", t)
        if t + 1 < steps:
            hand_input("params", 0, t + 1)
    return Protocol({name: tuple(moves) for name, moves in programs.items()}, barriers, signals)


def block(layers: int, steps: int, z_depth: int, without: str = "") -> Protocol:
    """One block that has all layers and the head, its weights resident or read."""
    programs: dict[str, list[Move]] = {}
    phases: dict[tuple[str, str], int] = {}  # of a barrier that a process has been through
    used: dict[str, int] = {}
    barriers = dict.fromkeys(("h", "z", "step"), 2) | {"all": 3}
    barriers |= {f"{name}.{turn}": 2 for name in ("sums", "free") for turn in (0, 1)}
    barriers |= {f"{name}.{slot}": 2 for name in ("for", "back") for slot in range(z_depth)}

    def add(process: str, kind: str, name: str, *number: int) -> None:
        if without != f"{process} {kind} {name.split('.')[0]}":
            programs.setdefault(process, []).append((kind, name, *map(str, number)))

    def phase(process: str, name: str) -> int:
        phases[process, name] = phases.get((process, name), -1) + 1
        return phases[process, name]

    def arrive(process: str, name: str) -> None:
        add(process, "pass", name, phase(process, name))

    def sync(process: str, name: str) -> None:
        number = phase(process, name)
        add(process, "meet", name, number)
        if without != f"{process} meet {name.split('.')[0]}":
            add(process, "met", name, number)

    def read(process: str, name: str, version: int) -> None:
        add(process, "read", name, version)
        add(process, "end", name, version)

    def turn_of(process: str, count: int) -> tuple[int, bool]:
        """The slot of `count` that comes next, and whether it was used before."""
        number = used.get(process, 0)
        used[process] = number + 1
        return number % count, number >= count

    add("skip", "write", "h", 0)  # the newest sample before the launch
    add("skip", "write", "float", 0)
    for process in ("gate", "residual", "skip"):
        sync(process, "all")  # as __syncthreads before the roles begin
    for layer in range(layers):
        add("older", "write", f"line.{layer}.1", -1)
    for t in range(steps):
        for layer in range(layers):
            version = t * layers + layer
            slot, again = turn_of("gate", z_depth)
            if again:
                sync("gate", f"back.{slot}")
            sync("gate", f"sums.{version % 2}")
            read("gate", f"sum.{version % 2}", version)
            arrive("gate", f"free.{version % 2}")
            if layer > 0:
                sync("gate", "h")
            read("gate", "h", version)
            add("gate", "write", f"z.{slot}", version)
            arrive("gate", "z")
            arrive("gate", f"for.{slot}")

            if layer == 0:
                read("residual", "float", t)
            else:
                add("residual", "write", "h", version)
                arrive("residual", "h")
            add("residual", "write", f"line.{layer}.{t % 2}", t)
            sync("residual", "z")
            read("residual", f"z.{slot}", version)

            read("older", f"line.{layer}.{(t + 1) % 2}", t - 1)  # a row more than it looks back
            if version >= 2:
                sync("older", f"free.{version % 2}")
            add("older", "write", f"sum.{version % 2}", version)
            arrive("older", f"sums.{version % 2}")

            sync("skip", f"for.{slot}")
            read("skip", f"z.{slot}", version)
            arrive("skip", f"back.{slot}")
        sync("residual", "step")
        sync("older", "step")
        add("skip", "write", "skip or params", 2 * t)
        for process in ("gate", "residual", "skip"):
            sync(process, "all")
            read(process, "skip or params", 2 * t)
            for _ in range(2):  # rows, then hidden: each its own memory
                sync(process, "all")
        add("skip", "write", "skip or params", 2 * t + 1)
        for process in ("gate", "residual", "skip"):
            sync(process, "all")
            read(process, "skip or params", 2 * t + 1)
        if t + 1 < steps:
            add("gate", "write", "h", (t + 1) * layers)  # any warp draws
            add("gate", "write", "float", t + 1)
        for process in ("gate", "residual", "skip"):
            sync(process, "all")
    return Protocol({name: tuple(moves) for name, moves in programs.items()}, barriers, {})
