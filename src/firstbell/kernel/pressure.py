"""How hard an installation is pressed, as whoever looks after it sees it: made by the gate, shown by a page."""

import msgspec


class Point(msgspec.Struct, frozen=True):
    """All workers together over a few seconds.

    `offered`, `admitted` and `shed` are requests a second by class; `waiting`, `longest_wait_s`, `queuing_ms` and
    `brownout` are those of the worker that is pressed most; the others are sums. `entries_per_s` is 0 in peace.
    """

    offered: list[float]
    admitted: list[float]
    shed: list[float]
    waiting: int
    longest_wait_s: float
    entries_per_s: float
    slots: int
    inflight: int
    queued: int
    queuing_ms: float
    brownout: int


class Pressure(msgspec.Struct, frozen=True):
    """The last minutes, oldest first. `most_shed` names schools by the bytes of their id."""

    points: list[Point]
    most_shed: list[tuple[bytes, int]]
    workers: int
    hears_others: bool
