"""Conducts a rehearsal: finds the capacity, plays the phases, breaks what shall break, and writes down what it sees."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import structs

from firstbell.rehearsal.bench.awake import WorkReading
from firstbell.rehearsal.bench.meter import CpuReading, MachineReading, memory_bytes, process_tree
from firstbell.rehearsal.load.arms import Arms
from firstbell.rehearsal.load.generators import Generator
from firstbell.rehearsal.load.orders import AttackOrders, Crowd, Orders, Stretch, Target
from firstbell.rehearsal.load.tally import Tally, percentile
from firstbell.rehearsal.pricing import PRICE_SECONDS, Pricing, Refuser, bearable_attack_x
from firstbell.rehearsal.results import STOLEN_MAX, Capacity, Prices
from firstbell.rehearsal.scenarios.scenario import Fault, Phase, Scenario, Schools, Throng

P1 = 1
P1_P99_SECONDS_MAX = 0.25
SERVED_SHARE_MIN = 0.97
"""A step of the stairs where less of what came was served well is above capacity."""

FIRST_PEOPLE_PER_S = 16.0
HALVINGS = 3
"""After the first step that is too high; the capacity is then known to 7 %."""

CALM_SECONDS = 12.0
"""After a step that was too high: the gate's lines have emptied, and it counts entries no more."""

STAIRS_MAX = 16

PROOF_STAIRS = 2.5
"""What was found is played once more, so many times as long as a step: of several short steps the best one was lucky,
and everything is measured against it."""
PROOFS_MAX = 5
STOLEN_TRIES_MAX = 3
"""A step that was too high while the host took the machine away says nothing, and is tried again."""
LESS = 0.93
"""The next lower step, when it does not hold for that long; lower where less of it was served."""
PEOPLE_PER_S_MIN = 0.5
"""Less than this is no school."""

STAIR_SECONDS = 16.0
SETTLE_SHARE = 0.6
"""The part of a stair in which mornings have only begun. One lasts nine seconds at our haste: whoever counted earlier
would believe in more people than can be served, since their later steps had not come yet."""

HASTE = 4.0
"""People read and type so many times faster than in a school, so that a minute shows whole mornings."""

LEAD_SECONDS = 0.3
DRAIN_SECONDS = 1.0
MEMORY_EVERY = 5
RAMP_PIECES = 20


class NoCapacityError(RuntimeError):
    """Not even the smallest load was served in time: something else keeps this machine busy, or the pages fail."""


class Stage(Protocol):
    """What stands before the conductor: a whole installation of its own, with people who may come."""

    target: Target
    cast: Path
    people: Mapping[str, int]
    """How many of each school, by its host name."""
    has_edge: bool
    arms: Arms

    def refusing(self) -> AbstractContextManager[Refuser | None]:
        """Beside the other, a web that has no room for anybody; None where none can be had."""

    def application(self) -> Sequence[int]:
        """The processes of the web, the jobs and NATS."""

    def database(self) -> Sequence[int]:
        """The processes of PostgreSQL."""

    def work(self) -> WorkReading:
        """What the same piece of work has taken the core that serves."""

    def keep(self) -> None:
        """Start again what died."""

    def break_down(self, fault: Fault) -> None:
        """Let this go wrong now."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One second of the serving side."""

    second: int
    application_cores: float
    database_cores: float
    memory_mb: float
    stolen_share: float
    """Of this machine's time, what its host gave to others though there was something to do, 0 to 1."""
    work_us: float = 0.0
    """What a piece of work that is always the same took the core that serves; 0 when none was done."""


def mean(figures: Sequence[float]) -> float:
    """The mean of what samples show; 0 of none."""
    return sum(figures) / len(figures) if figures else 0.0


@dataclass(slots=True)
class Played:
    """Everything that was seen of a scenario."""

    scenario: Scenario
    capacity: Capacity
    bounds: list[tuple[Phase, float, float]]
    """Each phase with the seconds between which it was played."""
    prices: Prices | None = None
    attack_x: dict[str, float] = field(default_factory=dict)
    """How heavy the attack was in each phase that had one."""
    tally: Tally = field(default_factory=Tally)
    receipts: list[tuple[str, str]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


Watch = Callable[[str, int, float, Tally, list[Sample]], None]
"""Is told each second: what is being played, the second, how far, and what was seen."""


class Attempt(NamedTuple):
    """A step of the stairs: what was served, its share of what was asked for, and whether that was in time."""

    capacity: Capacity
    served_share: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much. `people_per_s_max` bounds every rate; what is bounded proves nothing."""

    minutes: float
    people_per_s_max: float | None = None

    @property
    def stair_seconds(self) -> float:
        """The length of one step of the stairs."""
        return max(1.0, min(STAIR_SECONDS, self.minutes * 60 / 6))

    @property
    def price_seconds(self) -> float:
        """How long each kind of refusal is priced."""
        return PRICE_SECONDS if self.people_per_s_max is None else 1.0

    def slow(self, connections: int) -> int:
        """Slow connections within the limit: as many as people in a minute."""
        return connections if self.people_per_s_max is None else min(connections, round(60 * self.people_per_s_max))

    def bound(self, people_per_s: float) -> float:
        """A rate within the limit."""
        return people_per_s if self.people_per_s_max is None else min(people_per_s, self.people_per_s_max)


class Conductor:
    """Plays one scenario on a stage."""

    def __init__(self, stage: Stage, core: int | None) -> None:
        self._stage = stage
        self._people = Generator(core)
        self._attackers = Generator(core)
        self._seed = 830

    def stop(self) -> None:
        """End the generators."""
        self._people.stop()
        self._attackers.stop()

    def find_capacity(self, limits: Limits, watch: Watch) -> Capacity:
        """The highest goodput at which P1's p99 stays under 250 ms: stairs that double, then halve the gap.

        What they found is proven by a longer step. A step that was too high is tried once more: a machine that stands
        still for a moment looks the same.

        Raises:
            NoCapacityError: no step of the stairs was served in time, or none held for as long as a proof.
        """
        if limits.people_per_s_max is not None:
            tried = self._try(limits.bound(FIRST_PEOPLE_PER_S), limits.stair_seconds, limits, watch)
            return structs.replace(tried.capacity, is_bounded=True)
        low, high, steps_left = 0.0, 0.0, STAIRS_MAX
        rate = FIRST_PEOPLE_PER_S
        while steps_left and rate >= PEOPLE_PER_S_MIN:
            steps_left -= 1
            if self._holds(rate, limits, watch):
                low = rate
            else:
                steps_left = steps_left if high else min(steps_left, HALVINGS)
                high = rate
                time.sleep(CALM_SECONDS)
            rate = (low + high) / 2 if high else rate * 2
        for _ in range(PROOFS_MAX if low else 0):
            tried = self._try_in_peace(low, PROOF_STAIRS * limits.stair_seconds, limits, watch)
            if tried.holds:
                return tried.capacity
            low *= min(LESS, tried.served_share)
            time.sleep(CALM_SECONDS)
        raise NoCapacityError

    def find_prices(self, capacity: Capacity, limits: Limits) -> Prices | None:
        """What saying no costs, on a web that says nothing else; None when that could not be measured."""
        with self._stage.refusing() as refuser:
            if refuser is None:
                return None
            return Pricing(self._attackers, refuser).prices(capacity, limits.bound(refuser.per_s), limits.price_seconds)

    def play(
        self, scenario: Scenario, capacity: Capacity, prices: Prices | None, limits: Limits, watch: Watch
    ) -> Played:
        """All phases, one after the other, without a pause."""
        bounds = _bounds(scenario, limits.minutes * 60)
        attack_x = {phase.name: self._attack_x(phase, prices) for phase, _, _ in bounds if phase.attack_x}
        played = Played(scenario, capacity, bounds, prices, attack_x)
        end_s = bounds[-1][2]
        attack = self._attack_orders(capacity, prices, limits, bounds)
        self._carry_out(_crowds(bounds, capacity, limits, self._stage.people), end_s, played, watch, attack)
        return played

    def people(self, scenario: Scenario, capacity: Capacity, limits: Limits) -> int:
        """How many people the scenario brings."""
        bounds = _bounds(scenario, limits.minutes * 60)
        crowds = _crowds(bounds, capacity, limits, self._stage.people)
        return ceil(sum(s.per_s * (s.until_s - s.from_s) for crowd in crowds for s in crowd.stretches))

    def _holds(self, people_per_s: float, limits: Limits, watch: Watch) -> bool:
        if self._try_in_peace(people_per_s, limits.stair_seconds, limits, watch).holds:
            return True
        time.sleep(CALM_SECONDS)
        return self._try_in_peace(people_per_s, limits.stair_seconds, limits, watch).holds

    def _try_in_peace(self, people_per_s: float, seconds: float, limits: Limits, watch: Watch) -> Attempt:
        """A step that holds, or one that the host of this machine did not spoil, if it leaves us any."""
        tried = self._try(people_per_s, seconds, limits, watch)
        for _ in range(STOLEN_TRIES_MAX - 1):
            if tried.holds or tried.capacity.stolen_share <= STOLEN_MAX:
                break
            time.sleep(CALM_SECONDS)
            tried = self._try(people_per_s, seconds, limits, watch)
        return tried

    def _try(self, people_per_s: float, seconds: float, limits: Limits, watch: Watch) -> Attempt:
        whole = Phase("capacity", 1.0, (Throng(1.0),))
        played = Played(Scenario("capacity", "", seconds / 60, (whole,), ()), NOTHING, [(whole, 0.0, seconds)])
        self._carry_out((Crowd("everybody", "morning", (Stretch(0, seconds, people_per_s),)),), seconds, played, watch)
        first = int(limits.stair_seconds * SETTLE_SHARE)
        tally, span = played.tally, seconds - first
        good = sum(number for key, number in tally.good.items() if first <= key.second < seconds)
        offered = sum(number for key, number in tally.offered.items() if first <= key.second < seconds)
        p99_s = percentile(tally.latencies(lambda key: key.priority == P1 and key.second >= first), 0.99)
        samples = [sample for sample in played.samples if first <= sample.second < seconds]
        cores = mean([sample.application_cores + sample.database_cores for sample in samples])
        stolen = mean([sample.stolen_share for sample in samples])
        work_us = mean([sample.work_us for sample in samples if sample.work_us])
        cpu_us = cores / max(1.0, good / span) * 1e6
        holds = p99_s < P1_P99_SECONDS_MAX and good >= SERVED_SHARE_MIN * offered > 0
        capacity = Capacity(
            people_per_s,
            round(good / span, 1),
            round(p99_s * 1_000, 1),
            round(cpu_us, 1),
            round(stolen, 3),
            round(work_us, 2),
        )
        return Attempt(capacity, good / max(1, offered), holds)

    def _attack_orders(
        self, capacity: Capacity, prices: Prices | None, limits: Limits, bounds: list[tuple[Phase, float, float]]
    ) -> AttackOrders | None:
        attacked = [bound for bound in bounds if bound[0].attack_x]
        if not attacked:
            return None
        first, first_s, _ = attacked[0]
        stretches = tuple(
            Stretch(from_s, until_s, limits.bound(self._attack_x(phase, prices) * capacity.steps_per_s))
            for phase, from_s, until_s in attacked
        )
        return self._stage.arms.orders(
            self._stage.target,
            stretches,
            seconds=attacked[-1][2],
            seed=self._seed,
            slow_connections=limits.slow(first.slow_connections),
            slow_from_s=first_s,
        )

    def _attack_x(self, phase: Phase, prices: Prices | None) -> float:
        """As heavy as the phase wants; without the edge no more than leaves the honest their part of the core."""
        return phase.attack_x if self._stage.has_edge else bearable_attack_x(phase, prices)

    def _carry_out(
        self,
        crowds: tuple[Crowd, ...],
        seconds: float,
        played: Played,
        watch: Watch,
        attack: AttackOrders | None = None,
    ) -> None:
        self._seed += 1
        self._people.read_cast(self._stage.cast)
        begins_at = time.monotonic() + LEAD_SECONDS
        whole_s = ceil(seconds + DRAIN_SECONDS)
        self._people.play(Orders(self._stage.target, self._stage.cast, crowds, begins_at, whole_s, HASTE, self._seed))
        if attack is not None:
            self._attackers.play(replace(attack, begins_at=begins_at))
        breaks = _break_moments(played.bounds)
        meter = Meter(self._stage)
        second = 0
        while self._people.is_playing or self._attackers.is_playing:
            second += 1
            time.sleep(max(0.0, begins_at + second - time.monotonic()))
            while breaks and breaks[0][0] <= second:
                self._stage.break_down(breaks.pop(0)[1])
            self._stage.keep()
            for generator in (self._people, self._attackers):
                generator.collect(played.tally, played.receipts)
            played.samples.append(meter.sample(second - 1))
            phase = next((phase.name for phase, _, until_s in played.bounds if second <= until_s), "the last leave")
            watch(phase, second, second / whole_s, played.tally, played.samples)


class Meter:
    """Reads what the serving processes use, once a second."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._last = time.monotonic()
        self._application = CpuReading.now(stage.application())
        self._database = CpuReading.now(stage.database())
        self._machine = MachineReading.now()
        self._work = stage.work()
        self._memory_mb = 0.0

    def sample(self, second: int) -> Sample:
        """What was used since the last time."""
        now = time.monotonic()
        application, database = CpuReading.now(self._stage.application()), CpuReading.now(self._stage.database())
        machine, work = MachineReading.now(), self._stage.work()
        span_ns = max(1.0, (now - self._last) * 1e9)
        if second % MEMORY_EVERY == 0:
            everything = process_tree([*self._stage.application(), *self._stage.database()])
            self._memory_mb = memory_bytes(everything) / 1e6
        made = Sample(
            second,
            round(application.since(self._application) / span_ns, 3),
            round(database.since(self._database) / span_ns, 3),
            round(self._memory_mb, 1),
            round(machine.stolen_share_since(self._machine), 3),
            round(work.us_since(self._work), 2),
        )
        self._last, self._application, self._database = now, application, database
        self._machine, self._work = machine, work
        return made


NOTHING = Capacity(0.0, 0.0, 0.0, 0.0)


def _bounds(scenario: Scenario, seconds: float) -> list[tuple[Phase, float, float]]:
    """Each phase with its seconds; whole ones, and at least one."""
    bounds, begin_s = [], 0.0
    for phase in scenario.phases:
        end_s = begin_s + max(1.0, round(seconds * phase.share))
        bounds.append((phase, begin_s, end_s))
        begin_s = end_s
    return bounds


def _crowds(
    bounds: list[tuple[Phase, float, float]], capacity: Capacity, limits: Limits, people: Mapping[str, int]
) -> tuple[Crowd, ...]:
    """The throngs of all phases as crowds with their stretches."""
    stretches: dict[tuple[str, str, Schools], list[Stretch]] = {}
    for phase, from_s, until_s in bounds:
        for throng in phase.throngs:
            own = stretches.setdefault((throng.name, throng.journey, throng.schools), [])
            whole_per_s = capacity.people_per_s * (throng.schools.part(people) if throng.is_part else 1.0)
            own.extend(_ramp(throng, from_s, until_s, whole_per_s, limits))
    return tuple(
        Crowd(name, journey, tuple(own), schools.hosts(people)) for (name, journey, schools), own in stretches.items()
    )


def _ramp(throng: Throng, from_s: float, until_s: float, people_per_s: float, limits: Limits) -> list[Stretch]:
    if throng.until_x is None:
        return [Stretch(from_s, until_s, limits.bound(throng.x * people_per_s))]
    piece_s, rise = (until_s - from_s) / RAMP_PIECES, (throng.until_x - throng.x) / RAMP_PIECES
    return [
        Stretch(
            from_s + piece * piece_s,
            from_s + (piece + 1) * piece_s,
            limits.bound((throng.x + (piece + 0.5) * rise) * people_per_s),
        )
        for piece in range(RAMP_PIECES)
    ]


def _break_moments(bounds: list[tuple[Phase, float, float]]) -> list[tuple[float, Fault]]:
    """When each fault happens: spread over its phase, the first after a pause as long as those between them."""
    return [
        (from_s + (number + 0.5) * (until_s - from_s) / len(phase.faults), fault)
        for phase, from_s, until_s in bounds
        for number, fault in enumerate(phase.faults)
    ]
