"""The lines at the edge: who came there is called in order, as many a second as the gates let in.

HAProxy counts who comes and tells each when that was; nothing is kept for a person. A line is the counts of its last
hours by second, so that how many were called is an instant: whoever came before it is called.
"""

import bisect
import math
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple, TypeVar

LOOK_S = 10.0
"""How far a line will come is worked out for so many seconds: further on other people may have come faster."""
AHEAD_S, AHEAD_MIN = 2.0, 2.0
"""Where nobody waits, those who come in the next seconds are called already: as many as the school's share has in so
many seconds, and at least so many people."""
EVEN_S = 10.0
"""Within about this time all lines are called as early, or as late, as the others."""

PACE_MEMORY_S = 10.0
"""The pace of a line, from which waits are told, is averaged over about this time."""

PACE_MIN_PER_S = 1e-3
"""Of a line that has had no entry yet."""

INSTANTS_MAX = 10_800
"""Three hours of seconds; whoever came before is called."""

LINES_MAX = 3_000
"""Of one cell: 1,000 host names with three lanes. Others are called at once, and wait at the gate."""

SLEEP_S_MAX = 600
"""Who is to come in later than that comes to look before, and is called then."""

_MS = 1_000


class EdgeLane(IntEnum):
    """Who stands in a line at the edge, by what HAProxy knows: in the order of its counters."""

    PROVEN = 0
    """The gate believed the pass of this device."""
    HINTED = 1
    STRANGER = 2


SHARES = {EdgeLane.PROVEN: 0.9, EdgeLane.HINTED: 0.1}
"""Of the calls for a school, while people wait in both lanes."""

STRANGERS_SHARE = 0.05
"""So many strangers are called, as a share of the entries: 1 of 20 mornings begins on an unknown device. Those who need
not wait here do so in the gate's line, or bid."""

STRANGER_COST = 4
"""So many mornings on a known device one with a password costs."""


class EdgeLineKey(NamedTuple):
    """Names one line at the edge."""

    host: str
    lane: EdgeLane


class _Told(NamedTuple):
    """What the people of a second were told: the first of the line should have come in at `since_s`."""

    since_s: float
    pace_per_s: float

    def due_s(self, place: float) -> float:
        """When whoever came at that place was told to come in."""
        return self.since_s + place / self.pace_per_s

    def place_due(self, moment_s: float) -> float:
        """Who was told to come in then."""
        return (moment_s - self.since_s) * self.pace_per_s


class EdgeLine:
    """One line: how many came by when, and how many of them were called.

    `came` and `called` count people since the line began, and do not begin anew when HAProxy does; `came_last` are
    those since the last count. When the gates want more people than come, those are called who were told to come later.
    They sleep until then, and take the entries of that second; whoever comes now is told a wait that leaves them those.
    """

    def __init__(self, counter: int, now_s: float) -> None:
        self._counter = counter
        self._since = 0
        """What is to be added to HAProxy's counter, which begins at 0 when it starts."""
        self._instants = [now_s]
        self._counts = [counter]
        self._told = [_Told(now_s, math.inf)]
        """What those were told who came until each instant."""
        self._asleep: dict[int, float] = {}
        """How many are called and were told to come in later, by that second."""
        self.came, self.came_last = counter, 0
        self.begins = False
        """Nobody waited or slept before those who came last."""
        self.called = float(counter)
        self.pace_per_s = 0.0
        self.booked_s = 0.0
        """How many seconds of entries are taken by others than those who wait here."""

    def count(self, counter: int, now_s: float) -> None:
        """HAProxy has counted so many until now."""
        if counter < self._counter:
            self._since = self.came
        self.begins = not self.waiting and not self._asleep
        self._counter = counter
        before, self.came = self.came, self._since + counter
        self.came_last = self.came - before
        if self.came > self._counts[-1]:
            pace_per_s = max(self.pace_per_s, PACE_MIN_PER_S)
            self._told.append(_Told(now_s + self.booked_s - self.called / pace_per_s, pace_per_s))
            self._instants.append(now_s)
            self._counts.append(self.came)
        else:
            self._instants[-1] = now_s
        passed = max(bisect.bisect_right(self._counts, self.called) - 1, len(self._counts) - INSTANTS_MAX, 0)
        del self._counts[:passed], self._instants[:passed], self._told[:passed]
        self.called = max(self.called, self._counts[0])
        self._asleep = {second: people for second, people in self._asleep.items() if second > now_s}

    @property
    def waiting(self) -> int:
        """How many came and were not called."""
        return max(0, int(self.came - self.called))

    def early_s(self, now_s: float) -> float:
        """How long before the time that was told the next one who waits would be called now; negative when late."""
        told = self._told[bisect.bisect_right(self._counts, self.called)]
        return max(-SLEEP_S_MAX, min(SLEEP_S_MAX, told.due_s(self.called) - now_s))

    def call(self, people: float, now_s: float) -> None:
        """Call the next."""
        until = self.called + people
        for place in range(bisect.bisect_right(self._counts, self.called), len(self._counts)):
            if self._counts[place - 1] >= until:
                break
            first, last = max(self.called, self._counts[place - 1]), min(until, self._counts[place])
            self._let_sleep(self._told[place], first, last, now_s)
        self.called = until

    def _let_sleep(self, told: _Told, first: float, last: float, now_s: float) -> None:
        """Know in which seconds those between two places will come who were told so."""
        since_s, until_s = max(now_s + 1, told.due_s(first)), min(now_s + SLEEP_S_MAX, told.due_s(last))
        for second in range(int(since_s), int(until_s) + 1):
            people = min(last, told.place_due(second + 1)) - max(first, told.place_due(second))
            if people > 0:
                self._asleep[second] = self._asleep.get(second, 0.0) + people

    def call_ahead(self, people: float) -> None:
        """Call everybody, and so many who are still to come, which may be fewer than at the last turn."""
        self.called = self.came + people

    def keep_pace(self, per_s: float) -> None:
        """Average how many are called a second."""
        self.pace_per_s += (per_s - self.pace_per_s) / PACE_MEMORY_S

    def take_booked(self, booked_s: float, now_s: float) -> None:
        """Know for how many seconds the entries at the gates are booked; those who are called and sleep take more."""
        # Before whoever comes now: who waits, or is called ahead, or half of those who will come until the next turn.
        taken, before = 0.0, max(abs(self.came - self.called), self.came_last / 2)
        for second, people in sorted(self._asleep.items()):
            if before + taken <= self.pace_per_s * (second - now_s):
                break
            taken += people
        self.booked_s = booked_s + taken / max(self.pace_per_s, PACE_MIN_PER_S)

    @property
    def served(self) -> int:
        """Up to which count of HAProxy's people are called."""
        return int(self.called) - self._since

    @property
    def served_until_ms(self) -> int:
        """Whoever came until then is called, in ms since 1970."""
        return self._instant_ms(self.called)

    @property
    def advance_ms_per_s(self) -> float:
        """By how many ms of arrival the line will be called further each second, over the next `LOOK_S`."""
        return (self._instant_ms(self.called + LOOK_S * self.pace_per_s) - self._instant_ms(self.called)) / LOOK_S

    def _instant_ms(self, count: float) -> int:
        place = bisect.bisect_right(self._counts, count)
        if place == len(self._counts):
            return round(self._instants[-1] * _MS)
        low, high = self._counts[place - 1], self._counts[place]
        since, until = self._instants[place - 1], self._instants[place]
        return int((since + (count - low) / (high - low) * (until - since)) * _MS)

    def resume(self, served: int, served_until_ms: int) -> None:
        """Go on where an earlier process was, which had told HAProxy this."""
        self._counts.insert(0, served)
        self._instants.insert(0, served_until_ms / _MS)
        self._told.insert(0, _Told(served_until_ms / _MS, math.inf))
        self.called = float(served)


class EdgeLines:
    """All lines of one cell. Deterministic: what was told, what was counted and the time are given."""

    def __init__(self) -> None:
        self._lines: dict[EdgeLineKey, EdgeLine] = {}
        self._came: int | None = None
        self._left_waiting = 0
        self._passed = 0
        """How many came since the last turn and did not have to wait here."""

    @property
    def waiting(self) -> int:
        """How many came and were not called."""
        return sum(line.waiting for line in self._lines.values())

    @property
    def known_waiting(self) -> int:
        """Those of them on known devices; the strangers may be a flood, of whom nobody will come."""
        return sum(line.waiting for key, line in self._lines.items() if key.lane in SHARES)

    def turn(
        self,
        counted: Mapping[str, tuple[int, ...]],
        now_s: float,
        *,
        rate_per_s: float,
        calls_per_s: float,
        sizes: Mapping[str, float],
        booked_s: float,
        unheard_s: float,
        told: Mapping[str, int],
    ) -> None:
        """Once a second: call the next of each line.

        `counted` has HAProxy's counters by host. The gates let in `rate_per_s` and want `calls_per_s` to be called;
        schools share them by their `sizes`. `unheard_s` ago the entries of the next `booked_s` were booked. `told` is
        what HAProxy believes now.
        """
        self._count(counted, now_s, told)
        known = [key for key in self._lines if key.lane in SHARES]
        crowds = self._call_crowds(now_s, (key for key in known if self._lines[key].begins))
        people = self._people(sizes)
        left_per_s = rate_per_s
        for key, pace_per_s in self._paces_at_first(rate_per_s, people).items():
            line = self._lines[key]
            if not line.waiting:
                crowd = crowds.get(key, 0)
                left_per_s -= line.came_last - crowd if key.lane in SHARES else 0
                line.pace_per_s = pace_per_s
                line.call_ahead(max(AHEAD_MIN, AHEAD_S * line.pace_per_s - crowd))
        wanted = {key: line.came - line.called for key, line in self._lines.items() if line.waiting}
        strangers = {key: wanted.pop(key) for key in list(wanted) if key.lane is EdgeLane.STRANGER}
        weights = {key: people[key.host] for key in strangers}
        for key, per_s in share_out(STRANGERS_SHARE * rate_per_s, strangers, weights).items():
            left_per_s -= per_s
            self._lines[key].keep_pace(per_s)
            self._lines[key].call(per_s, now_s)
        weights = {key: people[key.host] * SHARES[key.lane] for key in wanted}
        shares = share_out(max(0.0, left_per_s), wanted, weights)
        for lane in SHARES:
            of_lane = {key: per_s for key, per_s in shares.items() if key.lane is lane}
            for key, per_s in self._evened_out(of_lane, now_s).items():
                self._lines[key].keep_pace(shares[key])
                self._lines[key].call(per_s * calls_per_s / rate_per_s, now_s)
        # At the begin of a spike most pass before the gates are heard of.
        booked_s += unheard_s * max(0.0, self._passed / rate_per_s - 1)
        for line in self._lines.values():
            line.take_booked(booked_s, now_s)
        self._left_waiting = self.waiting

    def rest(
        self,
        counted: Mapping[str, tuple[int, ...]],
        now_s: float,
        *,
        rate_per_s: float,
        sizes: Mapping[str, float],
        told: Mapping[str, int],
    ) -> None:
        """Once a second in peace: call everybody, and ahead what the gates could let in if they had to count.

        Only whoever is in a crowd beyond that waits, for the second until the gates are heard of again; `rate_per_s` is
        what they would let in.
        """
        self._count(counted, now_s, told)
        crowds = self._call_crowds(now_s, self._lines.keys())
        for key, pace_per_s in self._paces_at_first(rate_per_s, self._people(sizes)).items():
            line = self._lines[key]
            line.pace_per_s = pace_per_s
            dear = 1 if key.lane in SHARES else STRANGER_COST
            line.call_ahead(max(AHEAD_MIN, AHEAD_S * rate_per_s / dear - crowds[key]))
            # Whoever has to wait does so behind those who are called ahead.
            line.take_booked(AHEAD_S, now_s)
        self._left_waiting = 0

    def _call_crowds(self, now_s: float, keys: Iterable[EdgeLineKey]) -> dict[EdgeLineKey, int]:
        """Let the crowd with which each of these lines begins come in when it was told; how many had to wait.

        When in its second a crowd began nobody knows, so that to call it by when each came would call the first last.
        """
        crowds = {key: self._lines[key].waiting for key in keys}
        for key, people in crowds.items():
            self._lines[key].call(people, now_s)
        return crowds

    def _evened_out(self, shares: Mapping[EdgeLineKey, float], now_s: float) -> dict[EdgeLineKey, float]:
        """How many to call of each line of a lane: as many in all, and more where people are called later.

        A line that is called early has people who sleep, and hardly notices when fewer are called; those of the others
        would come late for it.
        """
        early_s = {key: self._lines[key].early_s(now_s) for key in shares}
        whole = max(1e-9, sum(shares.values()))
        mean_s = sum(per_s * early_s[key] for key, per_s in shares.items()) / whole
        wished = {key: per_s * max(0.0, 1 + (mean_s - early_s[key]) / EVEN_S) for key, per_s in shares.items()}
        scale = whole / max(1e-9, sum(wished.values()))
        return {key: scale * people for key, people in wished.items()}

    def _count(self, counted: Mapping[str, tuple[int, ...]], now_s: float, told: Mapping[str, int]) -> None:
        """Know who came, and how many of them passed."""
        for key, counter in _counters(counted):
            line = self._lines.get(key)
            if line is not None:
                line.count(counter, now_s)
            elif len(self._lines) < LINES_MAX:  # all lanes of a host, or none
                self._lines[key] = _begun(key, counter, now_s, told)
        before, self._came = self._came, sum(sum(counters) for counters in counted.values())
        came = 0 if before is None else self._came - before
        self._passed = max(0, came - max(0, self.waiting - self._left_waiting))

    def _people(self, sizes: Mapping[str, float]) -> dict[str, float]:
        return {host: max(1.0, sizes.get(host, 1.0)) for host, _ in self._lines}

    def _paces_at_first(self, rate_per_s: float, people: Mapping[str, float]) -> dict[EdgeLineKey, float]:
        """How many a second each line may have of the entries while nobody waits in it."""
        whole = sum(people.values())
        return {key: rate_per_s * people[key.host] / whole * self._share_at_first(key) for key in self._lines}

    def _share_at_first(self, key: EdgeLineKey) -> float:
        is_first = key.lane is EdgeLane.PROVEN
        if is_first or (key.lane is EdgeLane.HINTED and not self._lines[key._replace(lane=EdgeLane.PROVEN)].waiting):
            return 1.0
        return SHARES.get(key.lane, STRANGERS_SHARE)

    def entries(self) -> dict[str, int]:
        """The lines of HAProxy's map."""
        made = {}
        for (host, lane), line in self._lines.items():
            name = f"{host}/{int(lane)}"
            made[f"served/{name}"] = line.served
            made[f"served_until/{name}"] = line.served_until_ms
            made[f"advance/{name}"] = max(1, round(line.advance_ms_per_s))
            made[f"pace/{name}"] = max(1, round(line.pace_per_s * 1_000))
            made[f"booked/{name}"] = math.ceil(line.booked_s)
        return made


def _counters(counted: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[EdgeLineKey, int]]:
    for host, counters in counted.items():
        for lane in EdgeLane:
            yield EdgeLineKey(host, lane), counters[lane]


def _begun(key: EdgeLineKey, counter: int, now_s: float, told: Mapping[str, int]) -> EdgeLine:
    line = EdgeLine(counter, now_s)
    name = f"{key.host}/{int(key.lane)}"
    served, until_ms = told.get(f"served/{name}"), told.get(f"served_until/{name}")
    if served is not None and until_ms is not None and served < counter:
        line.resume(served, until_ms)
    return line


_Key = TypeVar("_Key", bound=Hashable)


def share_out(whole: float, wanted: Mapping[_Key, float], weights: Mapping[_Key, float]) -> dict[_Key, float]:
    """Max-min fair shares of `whole`: nobody gets more than wanted, and what is left goes to the others by weight."""
    shares = dict.fromkeys(wanted, 0.0)
    hungry: Collection[_Key] = [key for key, people in wanted.items() if people > 0]
    left = whole
    while hungry and left > whole * 1e-6:
        budget, weight = left, sum(weights[key] for key in hungry)
        for key in hungry:
            more = min(wanted[key] - shares[key], budget * weights[key] / weight)
            shares[key] = wanted[key] if more == wanted[key] - shares[key] else shares[key] + more
            left -= more
        hungry = [key for key in hungry if shares[key] < wanted[key]]
    return shares
