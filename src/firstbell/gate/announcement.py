"""What the gate tells the edge: where the level and the lines of each school stand, as gauges by host name."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Gauge

from firstbell.gate.calls import Calls
from firstbell.gate.cursor import LEVELS
from firstbell.gate.line import LineKey

LEVEL = Gauge(
    "firstbell_gate_level", "Level at which the requests of a school are cut", ["host"], multiprocess_mode="livemax"
)
LINE = Gauge(
    "firstbell_gate_line", "Period of arrival up to which a line has been let in", ["host", "lane"],
    multiprocess_mode="livemax",
)  # fmt: skip
CALLS = Gauge("firstbell_gate_calls", "People a second whom the edge may call", multiprocess_mode="livesum")
BOOKED = Gauge(
    "firstbell_gate_booked_seconds", "How far ahead entries are booked by people who were called",
    multiprocess_mode="livemax",
)  # fmt: skip
SIZE = Gauge("firstbell_gate_size", "People of the school of a host", ["host"], multiprocess_mode="livemax")
CLOCK = Gauge("firstbell_gate_clock_seconds", "Where the clock of the gate stands", multiprocess_mode="livemax")

PEACE = LEVELS - 1
NO_LINE = 2**32 - 1
"""A period that never comes: everybody who came before it has been let in."""


class Announcement:
    """Keeps the gauges of one worker true.

    `hosts_of` gives the host names of a school and `size_of` the number of its people; both name it by its id as bytes.

    Of several workers the most generous is heard: what the edge refuses, none of them would have served.
    """

    def __init__(self, hosts_of: Callable[[bytes], Iterable[str]], size_of: Callable[[bytes], float]) -> None:
        self._hosts_of = hosts_of
        self._size_of = size_of
        self._cut: set[str] = set()
        self._lines: set[tuple[str, str]] = set()

    def tell(self, now_s: float, levels: Mapping[bytes, int], lines: Mapping[LineKey, int], calls: Calls) -> None:
        """Once a second: the level of each school that asked, how far each line has come, how many may be called."""
        CLOCK.set(now_s)
        CALLS.set(calls.per_s)
        BOOKED.set(calls.booked_s)
        for school in levels:
            for host in self._hosts_of(school):
                SIZE.labels(host).set(self._size_of(school))
        cut = {host: level for school, level in levels.items() if level < PEACE for host in self._hosts_of(school)}
        standing = {
            (host, key.lane.name.lower()): period
            for key, period in lines.items()
            for host in self._hosts_of(key.school)
        }
        for host in cut.keys() | self._cut:
            LEVEL.labels(host).set(cut.get(host, PEACE))
        for host, lane in standing.keys() | self._lines:
            LINE.labels(host, lane).set(standing.get((host, lane), NO_LINE))
        self._cut, self._lines = set(cut), set(standing)
