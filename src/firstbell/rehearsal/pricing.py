"""What saying no costs: a web that has no room for anybody is asked by attackers and by people on known devices."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from firstbell.rehearsal.bench.meter import CpuReading
from firstbell.rehearsal.load.arms import Arms
from firstbell.rehearsal.load.generators import Generator
from firstbell.rehearsal.load.orders import Stretch, Target
from firstbell.rehearsal.load.tally import Tally
from firstbell.rehearsal.results import Capacity, Prices
from firstbell.rehearsal.scenarios.scenario import Phase

PRICED_PER_S = 9_000.0
"""As in a flood: a worker that is woken for each request by itself pays twice as much, and none is in a spike."""

PRICE_SECONDS = 4.0
ANSWERED_SECONDS = 0.5
"""After the last request that is priced."""

IDLE_SECONDS = 2.0
"""How long it is watched what the processes use when nobody asks."""
SETTLE_SECONDS = 1.0
"""After each pricing what it left is cleared away, such as connections."""
REFUSALS = frozenset({"403", "429", "503"})
REFUSED_SHARE_MIN = 0.98
"""Among the answers; with fewer the price would be that of something else."""

ATTACK_X_MIN, BUSY_MAX = 5.0, 0.9


@dataclass(frozen=True, slots=True)
class Refuser:
    """What refuses everybody: where it is, what it is asked and how often, and the processes on either core."""

    target: Target
    arms: Arms
    serving: Sequence[int]
    edge: Sequence[int] = ()
    per_s: float = PRICED_PER_S


class _Price(NamedTuple):
    """CPU microseconds of one refusal: end to end, and what of it falls to the core that serves."""

    whole_us: float
    serving_us: float


class Pricing:
    """Prices the refusals of `refuser`."""

    def __init__(self, attackers: Generator, refuser: Refuser) -> None:
        self._attackers = attackers
        self._refuser = refuser
        self._seed = 0
        self._idle_cores = 0.0, 0.0

    def prices(self, capacity: Capacity, per_s: float, seconds: float) -> Prices | None:
        """Both prices of a refusal beside that of a served step; None when other answers came as well."""
        self._price(per_s, seconds, kept_share=0.5)  # what is prepared at the first time is no price
        self._idle_cores = self._watch_idle()
        kept = self._price(per_s, seconds, kept_share=1.0)
        new = self._price(per_s, seconds, kept_share=0.0)
        if kept is None or new is None or not capacity.cpu_us:
            return None
        return Prices(capacity.cpu_us, kept.whole_us, new.whole_us, kept.serving_us, new.serving_us)

    def _price(self, per_s: float, seconds: float, *, kept_share: float) -> _Price | None:
        """What one refusal costs, beside what the processes use when nobody asks."""
        self._seed += 1
        before, began = self._readings(), time.monotonic()
        orders = self._refuser.arms.orders(
            self._refuser.target, (Stretch(0.0, seconds, per_s),), seconds=seconds + ANSWERED_SECONDS, seed=self._seed
        )
        self._attackers.play(
            replace(orders, begins_at=began, kept_share=kept_share, floods=self._refuser.arms.refused, sprays=())
        )
        tally = Tally()
        while self._attackers.is_playing:
            time.sleep(0.05)
            self._attackers.collect(tally, [])
        time.sleep(SETTLE_SECONDS)
        answered = sum(number for status, number in tally.attacks.items() if status.isdigit())
        refused = sum(number for status, number in tally.attacks.items() if status in REFUSALS)
        span_ns = (time.monotonic() - began) * 1e9
        serving_ns, edge_ns = (
            after.since(then) - idle * span_ns
            for after, then, idle in zip(self._readings(), before, self._idle_cores, strict=True)
        )
        if refused < REFUSED_SHARE_MIN * answered or not refused:
            return None
        # With an edge nothing of a flood reaches the core that serves.
        serving_us = max(0.0, serving_ns / refused / 1_000)
        return _Price(round(serving_us + edge_ns / refused / 1_000, 1), round(serving_us, 1))

    def _watch_idle(self) -> tuple[float, float]:
        """How much of either core the processes use when nobody asks."""
        before, began = self._readings(), time.monotonic()
        time.sleep(IDLE_SECONDS)
        span_ns = (time.monotonic() - began) * 1e9
        serving, edge = (after.since(then) / span_ns for after, then in zip(self._readings(), before, strict=True))
        return serving, edge

    def _readings(self) -> tuple[CpuReading, CpuReading]:
        """Of the core that serves, and of the edge."""
        return CpuReading.now(self._refuser.serving), CpuReading.now(self._refuser.edge)


def bearable_attack_x(phase: Phase, prices: Prices | None) -> float:
    """The highest x with honest + x * c_no / c_yes <= 0.9, between 5 and what the phase wants; 5 without prices."""
    if prices is None:
        return min(phase.attack_x, ATTACK_X_MIN)
    free = (BUSY_MAX - phase.offered_x) * prices.served_us / prices.serving_us
    return round(min(phase.attack_x, max(ATTACK_X_MIN, free)), 1)
