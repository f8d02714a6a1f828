"""The last minutes of the gates of all workers, for whoever looks after them. Each tells its second on the bus."""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from firstbell.gate.figures import Counts, Outcome, State
from firstbell.kernel.clock import Clock
from firstbell.kernel.pressure import Point, Pressure
from firstbell.kernel.routes import Priority

SUBJECT = "gate.state"
"""Of the messages, on the bus."""
SLOT_S = 5
"""What one point of a plot covers: five messages of each worker."""
SLOTS = 60
"""Five minutes."""
WORKERS_MAX = 256
SCHOOLS_MAX = 20
"""Schools in one message, those of which most was shed."""
SCHOOLS_SHOWN = 10
_DECIDED = Outcome.DEVICE + 1
"""Outcomes before this one are decided once for each request; the others tell what became of an admitted one."""


class Second(msgspec.Struct, frozen=True, array_like=True):
    """What the gate of one worker did in the `seconds` since its last message, and how it stands."""

    worker: bytes
    seconds: float
    state: State
    by_class: list[list[int]]
    shed: dict[bytes, int]


@dataclass(slots=True)
class _Slot:
    number: int
    seconds: dict[bytes, float] = field(default_factory=dict)
    states: dict[bytes, State] = field(default_factory=dict)
    decisions: dict[bytes, list[list[int]]] = field(default_factory=dict)
    shed: dict[bytes, int] = field(default_factory=dict)

    def note(self, told: Second) -> None:
        if told.worker not in self.states and len(self.states) >= WORKERS_MAX:
            return
        rows = self.decisions.setdefault(told.worker, [[0] * len(Outcome) for _ in Priority])
        for row, more in zip(rows, told.by_class, strict=True):
            row[:] = [one + other for one, other in zip(row, more, strict=True)]
        self.seconds[told.worker] = self.seconds.get(told.worker, 0.0) + told.seconds
        self.states[told.worker] = told.state
        for school, number in told.shed.items():
            self.shed[school] = self.shed.get(school, 0) + number


class Watch:
    """Remembers what this worker and the others told. `publish` is false while the others cannot be reached."""

    def __init__(self, clock: Clock, publish: Callable[[str, bytes], bool]) -> None:
        self._clock = clock
        self._publish = publish
        self._worker = secrets.token_bytes(8)
        self._slots: deque[_Slot] = deque(maxlen=SLOTS + 1)
        self._is_connected = False

    def tell(self, seconds: float, state: State, counts: Counts) -> None:
        """Note what this worker did, and tell the others."""
        most = dict(sorted(counts.shed.items(), key=lambda entry: -entry[1])[:SCHOOLS_MAX])
        told = Second(self._worker, seconds, state, counts.by_class, most)
        self._note(told)
        self._is_connected = self._publish(SUBJECT, msgspec.msgpack.encode(told))

    async def hear(self, payload: bytes) -> None:
        """Note what another worker tells.

        Raises:
            msgspec.MsgspecError: it is no such message.
        """
        told = msgspec.msgpack.decode(payload, type=Second)
        if told.worker != self._worker:
            self._note(told)

    def pressure(self) -> Pressure:
        """What was. The present slot is not there before it is over."""
        present = self._number()
        slots = [slot for slot in self._slots if present - SLOTS <= slot.number < present]
        shed: dict[bytes, int] = {}
        for slot in slots:
            for school, number in slot.shed.items():
                shed[school] = shed.get(school, 0) + number
        return Pressure(
            points=[_point(slot) for slot in slots],
            most_shed=sorted(shed.items(), key=lambda entry: -entry[1])[:SCHOOLS_SHOWN],
            workers=len(slots[-1].states) if slots else 0,
            hears_others=self._is_connected,
        )

    def _note(self, told: Second) -> None:
        number = self._number()
        if not self._slots or self._slots[-1].number < number:
            self._slots.append(_Slot(number))
        self._slots[-1].note(told)

    def _number(self) -> int:
        return int(self._clock.seconds() // SLOT_S)


def _point(slot: _Slot) -> Point:
    offered, admitted, shed = ([0.0] * len(Priority) for _ in range(3))
    for worker, rows in slot.decisions.items():
        seconds = slot.seconds[worker]
        for priority, row in enumerate(rows):
            asked, served = sum(row[:_DECIDED]), row[Outcome.ADMITTED]
            offered[priority] += asked / seconds
            admitted[priority] += served / seconds
            shed[priority] += (asked - served) / seconds
    states = slot.states.values()
    return Point(
        offered=offered,
        admitted=admitted,
        shed=shed,
        # Everybody knows of the whole line, so that the most is the best known.
        waiting=max(state.waiting for state in states),
        longest_wait_s=max(state.longest_wait_s for state in states),
        entries_per_s=sum(state.entries_per_s for state in states),
        slots=sum(state.slots for state in states),
        inflight=sum(state.inflight for state in states),
        queued=sum(state.queued for state in states),
        queuing_ms=max(state.queuing_ms for state in states),
        brownout=max(state.brownout for state in states),
    )
