"""Every order in which the moves of a protocol's processes can come, and what goes wrong in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.runtime.engines.cuda.protocol import Move, Protocol

# A state: where each process is; of each barrier who has arrived, and in which phase; of each
# signal how many phases are complete, whether it is armed, and what has come; what places hold.
_State = tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int, int], ...], tuple[int, ...]]
_PHASE = 16


class Fault(Exception):
    """What must not happen, and where."""


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
