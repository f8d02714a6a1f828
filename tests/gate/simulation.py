"""A worker, its database and a morning's requests as discrete events: the real admission, simulated time.

The event loop and the database run one slice after the other; on one core they are the same server. A request
alternates between them and holds a connection from its first statement to its end. Everything follows from the seed.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from firstbell.gate.admission import Admission, Limit, Verdict
from firstbell.gate.cursor import hour_of, level_of
from firstbell.gate.queue import Bounds, Waiting
from firstbell.kernel.routes import Priority

BOUNDS = Bounds(
    queue_max=128,
    school_share=0.5,
    wait_s_max=0.1,
    wait_standing_s_max=0.005,
    wait_first_s_max=0.5,
    queuing_s_max=0.02,
    window_s=1.0,
    window_requests=2_000,
    window_requests_min=32,
)
TICK_S = 0.01
GATE_S = 10e-6
REFUSAL_S = 20e-6
"""CPU of the decision, and of a refusal beside it."""

CLASSES = (0.03, 0.35, 0.45, 0.07, 0.10)
"""How a morning's requests divide over P0 to P4."""


class Server:
    """One core: slices wait for each other in order."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._free_at = 0.0
        self.used_s = 0.0

    def run(self, seconds: float, then: Callable[..., None], *arguments: Any) -> None:
        """Work for `seconds` as soon as everything before is done."""
        self.used_s += seconds
        self._free_at = max(self._free_at, self._simulation.now) + seconds
        self._simulation.at(self._free_at, then, *arguments)

    @property
    def lag_s(self) -> float:
        """How long a slice that comes now waits."""
        return max(0.0, self._free_at - self._simulation.now)


@dataclass(slots=True)
class Request:
    """One request; `statements` is how many are still to come."""

    school: bytes
    priority: Priority
    group: int
    arrived_at: float
    statements: int


@dataclass
class Tally:
    """What became of the requests of one class or school in the measured time."""

    offered: int = 0
    served: int = 0
    seconds: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """A percentile of the time from the intended start, in seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Simulation:
    """Plays arrivals against one worker."""

    def __init__(
        self,
        seed: int,
        limit: Limit,
        *,
        cores: int = 1,
        app_s: float = 50e-6,
        statement_s: float = 40e-6,
        connections: int = 8,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self.now = 0.0
        self.random = random.Random(seed)
        self.admission = Admission(bounds, limit, 0.0)
        self.by_class = [Tally() for _ in Priority]
        self.by_school: dict[bytes, Tally] = {}
        self.by_second: dict[int, int] = {}
        self.measured_from = 0.0
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self._loop = Server(self)
        self._database = self._loop if cores == 1 else Server(self)
        self._app_s = app_s
        self._statement_s = statement_s
        self._free_connections = connections
        self._for_connection: deque[Request] = deque()
        self._sample: Callable[[float, int], None] | None = getattr(limit, "sample", None)
        self.at(TICK_S, self._tick_due)

    def at(self, time: float, then: Callable[..., None], *arguments: Any) -> None:
        """Have `then` happen at `time`."""
        self._number += 1
        heapq.heappush(self._events, (time, self._number, then, arguments))

    def run_until(self, end: float) -> None:
        """Play until `end`."""
        while self._events and self._events[0][0] <= end:
            self.now, _, then, arguments = heapq.heappop(self._events)
            then(*arguments)
        self.now = end

    def offer(
        self,
        rate: Callable[[float], float],
        end: float,
        *,
        school: bytes = b"a",
        classes: tuple[float, ...] = CLASSES,
        groups: int = 40,
    ) -> None:
        """Poisson arrivals of one school, open-loop, at `rate(time)` for each second until `end`."""

        def arrive() -> None:
            priority = Priority(self.random.choices(range(len(classes)), classes)[0])
            group = self.random.randrange(1, groups + 1)
            request = Request(school, priority, group, self.now, 5)
            self._tally(request, lambda tally: setattr(tally, "offered", tally.offered + 1))
            self._loop.run(GATE_S, self._decide, request)
            plan()

        def plan() -> None:
            next_at = self.now + self.random.expovariate(max(rate(self.now), 1e-3))
            if next_at < end:
                self.at(next_at, arrive)

        plan()

    def measure_from_now(self) -> None:
        """Forget what was counted so far."""
        self.by_class = [Tally() for _ in Priority]
        self.by_school = {}
        self.measured_from = self.now

    @property
    def served(self) -> int:
        """How many were served within a second, which is what counts as good."""
        return sum(tally.served for tally in self.by_class)

    def _tally(self, request: Request, change: Callable[[Tally], None]) -> None:
        if request.arrived_at >= self.measured_from:
            change(self.by_class[request.priority])
            change(self.by_school.setdefault(request.school, Tally()))

    def _tick_due(self) -> None:
        self._loop.run(0.0, self._tick, self.now)
        self.at(self.now + TICK_S, self._tick_due)

    def _tick(self, due: float) -> None:
        self.admission.tick(self.now, self.now - due, used_s=lambda: self._loop.used_s)

    def _decide(self, request: Request) -> None:
        level = level_of(request.priority, request.group, hour_of(self.now))
        verdict = self.admission.turn_away(request.school, request.priority, level) or self.admission.enter(
            request.school, request.priority, self.now
        )
        if isinstance(verdict, Waiting):
            verdict.wake = lambda is_admitted: self._begin(request) if is_admitted else self._refuse()
        elif verdict is Verdict.ADMITTED:
            self._begin(request)
        else:
            self._refuse()

    def _refuse(self) -> None:
        self._loop.run(REFUSAL_S, lambda: None)

    def _begin(self, request: Request) -> None:
        self._loop.run(self._slice(self._app_s), self._connect, request)

    def _connect(self, request: Request) -> None:
        if self._free_connections:
            self._free_connections -= 1
            self._ask(request)
        else:
            self._for_connection.append(request)

    def _ask(self, request: Request) -> None:
        request.statements -= 1
        self._database.run(self._slice(self._statement_s), self._answered, request)

    def _answered(self, request: Request) -> None:
        self._loop.run(self._slice(self._app_s), self._ask if request.statements else self._finish, request)

    def _finish(self, request: Request) -> None:
        if self._for_connection:
            self._ask(self._for_connection.popleft())
        else:
            self._free_connections += 1
        seconds = self.now - request.arrived_at
        if self._sample is not None:
            self._sample(seconds, self.admission.inflight)
        if seconds <= 1:
            self.by_second[int(self.now)] = self.by_second.get(int(self.now), 0) + 1
            self._tally(request, lambda tally: setattr(tally, "served", tally.served + 1))
        self._tally(request, lambda tally: tally.seconds.append(seconds))
        self.admission.leave(request.school, self.now)

    def _slice(self, mean_s: float) -> float:
        return self.random.expovariate(1 / mean_s)
