"""Who waits for whom in the cuda engine, as a machine of states to be explored whole.

Each role of each block is one process, written down from source/{gate,older,residual,skip,head}.cuh
as what it does to shared memory and what it waits for. A read takes two moves, its begin and its
end: what it reads must be the version it is meant to read at both. Barriers and signals are those
of the GPU: a barrier counts arrivals, a signal completes a phase once it has been armed and all of
it came, and a wait knows a phase by its parity alone, so that one who comes two phases late hangs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Move = tuple[str, ...]
"""(kind, name, …): `sync`/`arrive` of a barrier with one that waits, `meet`/`met`/`pass` of one
with several, `wait`/`arm`/`come` of a signal, `read`/`end` and `write` of a place; `post`, `carry`
and `collect` of a flagged place in global memory, which is written some time after it was posted.
Last comes a number in decimals: of a `wait` and of a barrier with several its phase, of a place its
version."""
Program = tuple[Move, ...]


class Fault(Exception):
    """What must not happen, and where."""


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


# A state: where each process is; of each barrier who has arrived, and in which phase; of each
# signal how many phases are complete, whether it is armed, and what has come; what places hold.
_State = tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int, int], ...], tuple[int, ...]]


_PHASE = 16


class Explorer:
    """All states that a protocol can come to."""

    def __init__(self, protocol: Protocol) -> None:
        self._names = sorted(protocol.programs)
        self._programs = [protocol.programs[name] for name in self._names]
        self._barriers = {name: i for i, name in enumerate(sorted(protocol.barriers))}
        self._arrivals = [protocol.barriers[name] for name in sorted(protocol.barriers)]
        self._signals = {name: i for i, name in enumerate(sorted(protocol.signals))}
        self._parts = [protocol.signals[name] for name in sorted(protocol.signals)]
        kinds = ("read", "end", "write", "collect", "carry")
        places = {m[1] for p in self._programs for m in p if m[0] in kinds}
        places |= {_sent(m[1]) for p in self._programs for m in p if m[0] in ("post", "carry")}
        self._places = {name: i for i, name in enumerate(sorted(places))}

    def explore(self, most: int = 2_000_000) -> int:
        """The number of states. Raises Fault for a hazard, a deadlock or a misuse."""
        start: _State = (
            (0,) * len(self._names),
            (0,) * len(self._barriers),
            ((0, 0, 0),) * len(self._signals),
            (-1,) * len(self._places),
        )
        seen, open_states = {start}, [start]
        while open_states:
            state = open_states.pop()
            after = list(self._next(state))
            if not after and any(at < len(self._programs[i]) for i, at in enumerate(state[0])):
                raise Fault(f"deadlock: {self._where(state)}")
            for one in after:
                if one not in seen:
                    seen.add(one)
                    open_states.append(one)
            if len(seen) > most:
                raise AssertionError(f"more than {most} states; make it smaller")
        return len(seen)

    def _where(self, state: _State) -> str:
        waiting = (
            f"{name} at {' '.join(self._programs[i][state[0][i]])}"
            for i, name in enumerate(self._names)
            if state[0][i] < len(self._programs[i])
        )
        return ", ".join(waiting)

    def _next(self, state: _State) -> Iterator[_State]:
        """One state for each process that can move."""
        for i, program in enumerate(self._programs):
            if state[0][i] < len(program):
                after = self._moved(state, i, program[state[0][i]])
                if after is not None:
                    yield after

    def _moved(self, state: _State, process: int, move: Move) -> _State | None:
        moves: dict[str, Callable[[_State, int, Move], _State | None]] = {
            "sync": self._sync,
            "arrive": self._arrive,
            "meet": self._meet,
            "pass": self._meet,
            "met": self._met,
            "wait": self._wait,
            "arm": self._arm,
            "come": self._come,
            "read": self._read,
            "end": self._read,
            "write": self._write,
            "post": self._post,
            "carry": self._carry,
            "collect": self._collect,
        }
        return moves[move[0]](state, process, move)

    def _on(self, state: _State, *processes: int) -> tuple[int, ...]:
        return tuple(at + (i in processes) for i, at in enumerate(state[0]))

    def _sync(self, state: _State, process: int, move: Move) -> _State | None:
        """Goes on together with the last arrival, which may be its own."""
        index = self._barriers[move[1]]
        if state[1][index] + 1 < self._arrivals[index]:
            return None  # all others have to have arrived: they do not wait in these protocols
        counts = _replaced(state[1], index, 0)
        return self._on(state, process), counts, state[2], state[3]

    def _arrive(self, state: _State, process: int, move: Move) -> _State | None:
        index = self._barriers[move[1]]
        count = state[1][index] + 1
        if count >= self._arrivals[index]:
            raise Fault(f"{self._names[process]} arrives twice at {move[1]}")
        return self._on(state, process), _replaced(state[1], index, count), state[2], state[3]

    def _meet(self, state: _State, process: int, move: Move) -> _State:
        """An arrival: `_PHASE` of the count is the barrier's phase."""
        index = self._barriers[move[1]]
        phase, count = divmod(state[1][index], _PHASE)
        if phase != int(move[2]):
            raise Fault(f"{self._names[process]} arrives at {move[1]} in phase {phase}")
        full = count + 1 == self._arrivals[index]
        now = (phase + 1) * _PHASE if full else state[1][index] + 1
        return self._on(state, process), _replaced(state[1], index, now), state[2], state[3]

    def _met(self, state: _State, process: int, move: Move) -> _State | None:
        if state[1][self._barriers[move[1]]] // _PHASE <= int(move[2]):
            return None
        return self._on(state, process), *state[1:]

    def _wait(self, state: _State, process: int, move: Move) -> _State | None:
        done = state[2][self._signals[move[1]]][0]
        if done % 2 == int(move[2]) % 2:
            return None
        if done != int(move[2]) + 1:
            raise Fault(f"{self._names[process]} takes phase {done - 1} of {move[1]} for another")
        return self._on(state, process), *state[1:]

    def _arm(self, state: _State, process: int, move: Move) -> _State:
        return self._signalled(state, process, move[1], 1, 0)

    def _come(self, state: _State, process: int, move: Move) -> _State:
        return self._signalled(state, process, move[1], 0, 1)

    def _signalled(self, state: _State, process: int, name: str, arm: int, come: int) -> _State:
        index = self._signals[name]
        done, armed, came = state[2][index]
        armed, came = armed + arm, came + come
        if armed > 1:
            raise Fault(f"{self._names[process]} arms {name} twice")
        if armed and came >= self._parts[index]:
            done, armed, came = done + 1, 0, came - self._parts[index]
        signals = _replaced(state[2], index, (done, armed, came))
        return self._on(state, process), state[1], signals, state[3]

    def _read(self, state: _State, process: int, move: Move) -> _State:
        found = state[3][self._places[move[1]]]
        if found != int(move[2]):
            raise Fault(f"{self._names[process]} finds {found} in {move[1]}, not {move[2]}")
        return self._on(state, process), *state[1:]

    def _write(self, state: _State, process: int, move: Move) -> _State:
        places = _replaced(state[3], self._places[move[1]], int(move[2]))
        return self._on(state, process), state[1], state[2], places

    def _post(self, state: _State, process: int, move: Move) -> _State:
        """On its way: another's may not be, as they could arrive in any order."""
        sent, there = (state[3][self._places[name]] for name in (_sent(move[1]), move[1]))
        if sent != there:
            raise Fault(f"{self._names[process]} posts {move[2]} to {move[1]} before {sent} came")
        return self._write(state, process, (move[0], _sent(move[1]), move[2]))

    def _carry(self, state: _State, process: int, move: Move) -> _State | None:
        if state[3][self._places[_sent(move[1])]] != int(move[2]):
            return None
        return self._write(state, process, move)

    def _collect(self, state: _State, process: int, move: Move) -> _State | None:
        found = state[3][self._places[move[1]]]
        if found > int(move[2]):
            raise Fault(f"{self._names[process]} finds {found} in {move[1]}, {move[2]} is gone")
        return None if found < int(move[2]) else (self._on(state, process), *state[1:])


def _sent(place: str) -> str:
    """Where a post is until it is carried to its place."""
    return f"on the way to {place}"


def _replaced(values: tuple, index: int, value: object) -> tuple:  # type: ignore[type-arg]
    return (*values[:index], value, *values[index + 1 :])
