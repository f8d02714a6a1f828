"""A spike with the edge in front: the real lines of the edge, and by hand what HAProxy's rules make of them.

Without strangers and with one line a school. The rules are those of `deploy/edge/haproxy.cfg`, which tests/edge asks.
"""

from collections import Counter
from collections.abc import Sequence

from firstbell.gate.calls import Called, Calls
from firstbell.gate.edge import Cell, Told
from tests.gate.spike import MORNING, SCHOOLS, Morning, Person, Spike

SECOND_S = 1.0
WAY_S = 0.05
"""From the metrics of the gate to HAProxy's map."""
MS = 1_000
SOON_S, LOOK_S_MAX, QUESTIONS_PER_S = 8, 120, 500


class EdgeSpike(Spike):
    """One worker behind one edge."""

    def __init__(
        self,
        seed: int,
        *,
        morning: Morning = MORNING,
        cold_s: float = 0.0,
        sizes: Sequence[float] = (1.0,) * len(SCHOOLS),
    ) -> None:
        super().__init__(seed, morning=morning, cold_s=cold_s)
        self._sizes = {str(school.id): size for school, size in zip(SCHOOLS, sizes, strict=True)}
        by_id = {school.id.bytes: size for school, size in zip(SCHOOLS, sizes, strict=True)}
        self._door.calls = Calls(by_id.__getitem__)
        self.held: Counter[int] = Counter()
        """How many the edge told to wait, by second."""
        self._cell = Cell("cell1")
        self._came = {str(school.id): [0, 0, 0] for school in SCHOOLS}
        self._map: dict[str, int] = {}
        self._at(self._now + SECOND_S, self._tell)

    def _tell(self) -> None:
        calls, budget = self._door.calls, self._door.budget
        told = Told(
            clock_s=self._second,
            entries_per_s=budget.rate_per_s if budget.is_limited else 0.0,
            calls_per_s=calls.per_s,
            booked_s=calls.booked_s,
            sizes=self._sizes,
        )
        counted = {host: tuple(came) for host, came in self._came.items()}
        self._at(self._now + WAY_S, self._believe, self._cell.entries(told, self._now, counted, self._map))
        self._at(self._now + SECOND_S, self._tell)

    def _believe(self, entries: dict[str, int]) -> None:
        self._map = entries

    def _ask(self, person: Person) -> None:
        retry_s = None if person.is_inside else self._held_s(person)
        if retry_s is None:
            super()._ask(person)
            return
        self.held[self._elapsed] += 1
        self._at(self._now + retry_s, self._ask, person)

    def _held_s(self, person: Person) -> int | None:
        """When the edge wants to see somebody again; None for who is called."""
        now_ms, now = int(self._now * MS), int(self._now)
        host = str(person.school.id)
        if person.came_ms:
            behind = person.came_ms - self._map.get(f"served_until/{host}/0", now_ms)
            call_s = behind // self._map.get(f"advance/{host}/0", 1)
        else:
            person.came_ms, person.promised_at = now_ms, now
            self._came[host][0] += 1
            behind = self._came[host][0] - self._map.get(f"served/{host}/0", self._came[host][0])
            call_s = behind * MS // self._map.get(f"pace/{host}/0", 1)
        waiting = self._map.get("waiting/cell1", 0)
        person.called = Called(person.came_ms // MS, person.promised_at, waiting)
        if behind <= 0:
            return None
        call_s += self._map.get(f"booked/{host}/0", 0)
        if not person.told_at:
            self._tell_estimate(person, call_s + 1)
            person.promised_at = now + call_s + 1
        return self._retry_s(call_s, person.promised_at - now, waiting)

    def _retry_s(self, call_s: int, left_s: int, waiting: int) -> int:
        if call_s <= SOON_S:
            retry_s = call_s + 1 + self._chance.randrange(3)
        else:
            retry_s = min(call_s * 3 // 4, max(LOOK_S_MAX, waiting // QUESTIONS_PER_S))
            retry_s = retry_s * (80 + self._chance.randrange(41)) // 100
        return min(retry_s, left_s) if left_s > 0 else retry_s
