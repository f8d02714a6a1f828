"""What HAProxy at the edge is told, as the lines of its maps: classes of paths, levels, and where lines stand."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from firstbell.gate.announcement import CLOCK, LEVEL, LINE, NO_LINE, PEACE
from firstbell.gate.asker import Declared
from firstbell.gate.figures import STATE
from firstbell.gate.line import Lane
from firstbell.kernel.routes import Priority

STANDING_S = 3
"""The edge cuts where the gate has cut for so many seconds in a row: a burst is the gate's own affair, and a whole
class is more than the part of it that the gate may be cutting."""

_CLOCK, _LEVEL, _LINE = (next(iter(gauge.describe())).name for gauge in (CLOCK, LEVEL, LINE))
_STATE = next(iter(STATE.describe())).name
_ENTRIES = f'{_STATE}{{what="entries_per_s"}}'
FACES_PER_ENTRY = 2
"""New people in the line for each that is let in: it never runs dry, and giving out places is a tenth of the work."""

FACES_PER_S_MIN = 10
"""For each host name: a class of pupils in three seconds."""

_STATIC = "/static/"
"""What every page needs, served before the gate."""


@dataclass(slots=True)
class Told:
    """What the gates of one cell say: level by host, period by host and lane, seconds since 1970 by their clock.

    `entries_per_s` is how many people they let in a second while there is a line.
    """

    clock_s: float = 0.0
    entries_per_s: float = 0.0
    levels: dict[str, int] = field(default_factory=dict)
    lines: dict[tuple[str, Lane], int] = field(default_factory=dict)


def only_hosts(told: Told, hosts: Collection[str]) -> Told:
    """What concerns these host names; a star is for all."""
    if "*" in hosts:
        return told
    levels = {host: level for host, level in told.levels.items() if host in hosts}
    lines = {key: period for key, period in told.lines.items() if key[0] in hosts}
    return Told(told.clock_s, told.entries_per_s, levels, lines)


def read_metrics(texts: Iterable[str]) -> Told:
    """What stands in the metrics of the nodes of a cell.

    Of several nodes the most generous is believed, and what they let in is added up.
    """
    told = Told()
    for text in texts:
        ours = "\n".join(line for line in text.splitlines() if line.startswith((_CLOCK, _LEVEL, _LINE, _ENTRIES)))
        for family in text_string_to_metric_families(f"{ours}\n"):
            for sample in family.samples:
                _note(told, sample)
    return told


def _note(told: Told, sample: Sample) -> None:
    value = int(sample.value)
    if sample.name == _CLOCK:
        told.clock_s = max(told.clock_s, sample.value)
    elif sample.name == _LEVEL:
        host = sample.labels["host"]
        told.levels[host] = max(told.levels.get(host, 0), value)
    elif sample.name == _STATE:
        told.entries_per_s += sample.value
    else:
        key = sample.labels["host"], Lane[sample.labels["lane"].upper()]
        told.lines[key] = max(told.lines.get(key, 0), value)


class Cell:
    """One cell as the edge knows it, from second to second.

    `faces_per_s_max` is how many people a second may at most come without a ticket while a line stands.
    """

    def __init__(self, name: str, faces_per_s_max: int) -> None:
        self._name = name
        self._faces_per_s_max = faces_per_s_max
        self._seconds: deque[dict[str, int]] = deque(maxlen=STANDING_S)

    def entries(self, told: Told, now_s: float) -> dict[str, int]:
        """The lines of the map for what was told at `now_s`, the second after the last time."""
        self._seconds.append(told.levels)
        lines = {key: period for key, period in told.lines.items() if period < NO_LINE}
        waiting = {host for host, _ in lines}
        faces_per_s = min(self._faces_per_s_max, FACES_PER_ENTRY * told.entries_per_s)
        return {
            f"written/{self._name}": int(now_s),
            f"clock/{self._name}": round(told.clock_s - now_s) if told.clock_s else 0,
            **{f"level/{host}": level for host, level in self._standing().items()},
            **{f"line/{host}/{int(lane)}": period for (host, lane), period in lines.items()},
            **{f"faces/{host}": max(FACES_PER_S_MIN, int(faces_per_s / len(waiting))) for host in waiting},
        }

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
