"""What HAProxy at the edge is told, as the lines of its maps: classes of paths, levels, and where lines stand."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from firstbell.gate.announcement import BOOKED, CALLS, CLOCK, LEVEL, LINE, NO_LINE, PEACE, SIZE
from firstbell.gate.asker import Declared
from firstbell.gate.edge_lines import EdgeLines
from firstbell.gate.figures import STATE
from firstbell.gate.line import Lane
from firstbell.kernel.routes import Priority

STANDING_S = 3
"""The edge cuts where the gate has cut for so many seconds in a row: a burst is the gate's own affair, and a whole
class is more than the part of it that the gate may be cutting."""

SECOND_S = 1.0
"""Between two turns, of the gates and of the edge."""

SKEW_S = 2.0
"""Clocks that are set by the network differ by less: what a waiting page shows would jump to and fro by a second."""
SKEW_SECONDS = 10
"""What is told is as old as the worker was late: the clock of a cell is as far ahead as it was at best in so many."""

_BOOKED, _CALLS, _CLOCK, _LEVEL, _LINE, _SIZE = (
    next(iter(gauge.describe())).name for gauge in (BOOKED, CALLS, CLOCK, LEVEL, LINE, SIZE)
)
_STATE = next(iter(STATE.describe())).name
_ENTRIES = f'{_STATE}{{what="entries_per_s"}}'

_STATIC = "/static/"
"""What every page needs, served before the gate."""


@dataclass(slots=True)
class Told:
    """What the gates of one cell say: level and people by host, period by host and lane, their clock since 1970.

    While there is a limit `entries_per_s` people are let in a second, and the edge may call `calls_per_s`; the entries
    of the next `booked_s` are booked by people whom it has called. In peace `calls_per_s` is how many could be let in.
    """

    clock_s: float = 0.0
    entries_per_s: float = 0.0
    calls_per_s: float = 0.0
    booked_s: float = 0.0
    levels: dict[str, int] = field(default_factory=dict)
    lines: dict[tuple[str, Lane], int] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)


def only_hosts(told: Told, hosts: Collection[str]) -> Told:
    """What concerns these host names; a star is for all."""
    if "*" in hosts:
        return told
    levels = {host: level for host, level in told.levels.items() if host in hosts}
    lines = {key: period for key, period in told.lines.items() if key[0] in hosts}
    return replace(told, levels=levels, lines=lines)


def read_metrics(texts: Iterable[str]) -> Told:
    """What stands in the metrics of the nodes of a cell.

    Of several nodes the most generous is believed, and what they let in is added up.
    """
    told = Told()
    beginnings = (_BOOKED, _CALLS, _CLOCK, _LEVEL, _LINE, _SIZE, _ENTRIES)
    for text in texts:
        ours = "\n".join(line for line in text.splitlines() if line.startswith(beginnings))
        for family in text_string_to_metric_families(f"{ours}\n"):
            for sample in family.samples:
                _note(told, sample)
    return told


def _note(told: Told, sample: Sample) -> None:
    value = int(sample.value)
    if sample.name == _CLOCK:
        told.clock_s = max(told.clock_s, sample.value)
    elif sample.name == _CALLS:
        told.calls_per_s += sample.value
    elif sample.name == _STATE:
        told.entries_per_s += sample.value
    elif sample.name == _BOOKED:
        told.booked_s = max(told.booked_s, sample.value)
    elif sample.name == _SIZE:
        told.sizes[sample.labels["host"]] = sample.value
    elif sample.name == _LEVEL:
        host = sample.labels["host"]
        told.levels[host] = max(told.levels.get(host, 0), value)
    else:
        key = sample.labels["host"], Lane[sample.labels["lane"].upper()]
        told.lines[key] = max(told.lines.get(key, 0), value)


class Cell:
    """One cell as the edge knows it, from second to second."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._seconds: deque[dict[str, int]] = deque(maxlen=STANDING_S)
        self._ahead_s: deque[float] = deque(maxlen=SKEW_SECONDS)
        self._lines = EdgeLines()

    def entries(
        self, told: Told, now_s: float, counted: Mapping[str, tuple[int, ...]], believed: Mapping[str, int]
    ) -> dict[str, int]:
        """The lines of the map for what was told at `now_s`, the second after the last time.

        `counted` are HAProxy's counters of who came, by host; `believed` is what stands in the map.
        """
        self._seconds.append(told.levels)
        if told.clock_s:
            self._ahead_s.append(told.clock_s - now_s)
        lines = {key: period for key, period in told.lines.items() if period < NO_LINE}
        return {
            f"written/{self._name}": int(now_s),
            f"clock/{self._name}": self._skew_s,
            **{f"level/{host}": level for host, level in self._standing().items()},
            **{f"line/{host}/{int(lane)}": period for (host, lane), period in lines.items()},
            **self._called(told, now_s, counted, believed),
        }

    def _called(
        self, told: Told, now_s: float, counted: Mapping[str, tuple[int, ...]], believed: Mapping[str, int]
    ) -> dict[str, int]:
        if not told.calls_per_s and not told.entries_per_s:  # the gates have just begun, and everybody passes
            return {}
        if not told.entries_per_s:
            self._lines.rest(counted, now_s, rate_per_s=told.calls_per_s, sizes=told.sizes, told=believed)
        else:
            self._lines.turn(
                counted, now_s, rate_per_s=told.entries_per_s, calls_per_s=told.calls_per_s, sizes=told.sizes,
                booked_s=told.booked_s, unheard_s=min(SECOND_S, max(0.0, now_s - told.clock_s)), told=believed,
            )  # fmt: skip
        return {f"waiting/{self._name}": self._lines.known_waiting, **self._lines.entries()}

    @property
    def _skew_s(self) -> int:
        """How far the clock of the cell is ahead, in whole seconds."""
        ahead_s = max(self._ahead_s, default=0.0)
        return round(ahead_s) if abs(ahead_s) > SKEW_S else 0

    def _standing(self) -> dict[str, int]:
        """The highest level of each host in the last seconds, where all of them cut."""
        if len(self._seconds) < STANDING_S:
            return {}
        highest = {host: max(second.get(host, PEACE) for second in self._seconds) for host in self._seconds[-1]}
        return {host: level for host, level in highest.items() if level < PEACE}


def class_maps(declared: Iterable[Declared]) -> tuple[str, str]:
    """The maps of whole paths and of beginnings of paths: method and path, then the number of the class.

    Where addresses with the same beginning differ the most urgent counts: what the gate would serve is never cut.
    """
    paths: dict[str, Priority] = {}
    beginnings = {f"GET{_STATIC}": Priority.P1}
    for method, path, opt in declared:
        if "priority" not in opt:
            continue
        beginning, parameter, _ = path.partition("{")
        kept, key = (beginnings, method + beginning) if parameter else (paths, method + path)
        kept[key] = min(kept.get(key, Priority.P4), opt["priority"])
    return _map_text(paths), _map_text(beginnings)


def _map_text(entries: Mapping[str, Priority]) -> str:
    lines = [f"{key} {int(priority)}\n" for key, priority in sorted(entries.items())]
    return "# Written by `firstbell edge classes`.\n" + "".join(lines)
