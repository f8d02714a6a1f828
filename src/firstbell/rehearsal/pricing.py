"""What saying no costs: a web that has no room for anybody is asked by attackers and by people on known devices."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from firstbell.rehearsal.bench.meter import CpuReading
from firstbell.rehearsal.load.arms import Arms
from firstbell.rehearsal.load.generators import Generator
from firstbell.rehearsal.load.orders import Stretch, Target
from firstbell.rehearsal.load.tally import Tally
from firstbell.rehearsal.results import Capacity, Prices
from firstbell.rehearsal.scenarios.scenario import Phase

PRICED_PER_S = 1_000.0
"""Many enough to outweigh what a worker does by itself, few enough to be no queue."""

PRICE_SECONDS = 4.0
ANSWERED_SECONDS = 0.5
"""After the last request that is priced."""

IDLE_SECONDS = 1.0
REFUSALS = frozenset({"403", "429", "503"})
REFUSED_SHARE_MIN = 0.98
"""Among the answers; with fewer the price would be that of something else."""

ATTACK_X_MIN, BUSY_MAX = 5.0, 0.9


@dataclass(frozen=True, slots=True)
class Refuser:
    """What refuses everybody: where it is, its processes, what it is asked, and how often."""

    target: Target
    processes: Sequence[int]
    arms: Arms
    per_s: float = PRICED_PER_S


class Pricing:
    """Prices the refusals of `refuser`."""

    def __init__(self, attackers: Generator, refuser: Refuser) -> None:
        self._attackers = attackers
        self._arms = refuser.arms
        self._target = refuser.target
        self._processes = refuser.processes
        self._seed = 0

    def prices(self, capacity: Capacity, per_s: float, seconds: float) -> Prices | None:
        """Both prices of a refusal beside that of a served step; None when other answers came as well."""
        self._price_us(per_s, seconds, kept_share=0.5)  # what is prepared at the first time is no price
        kept_us = self._price_us(per_s, seconds, kept_share=1.0)
        new_us = self._price_us(per_s, seconds, kept_share=0.0)
        if kept_us is None or new_us is None or not capacity.cpu_us:
            return None
        return Prices(capacity.cpu_us, kept_us, new_us)

    def _price_us(self, per_s: float, seconds: float, *, kept_share: float) -> float | None:
        """CPU microseconds of one refusal, beside what the processes use when nobody asks."""
        self._seed += 1
        idle, idle_from = CpuReading.now(self._processes), time.monotonic()
        time.sleep(IDLE_SECONDS)
        before, began = CpuReading.now(self._processes), time.monotonic()
        orders = self._arms.orders(
            self._target, (Stretch(0.0, seconds, per_s),), seconds=seconds + ANSWERED_SECONDS, seed=self._seed
        )
        self._attackers.play(
            replace(orders, begins_at=began, kept_share=kept_share, floods=self._arms.refused, sprays=())
        )
        tally = Tally()
        while self._attackers.is_playing:
            time.sleep(0.05)
            self._attackers.collect(tally, [])
        whole_ns = CpuReading.now(self._processes).since(before)
        idle_ns = before.since(idle) * (time.monotonic() - began) / (began - idle_from)
        answered = sum(number for status, number in tally.attacks.items() if status.isdigit())
        refused = sum(number for status, number in tally.attacks.items() if status in REFUSALS)
        if refused < REFUSED_SHARE_MIN * answered or not refused:
            return None
        return round(max(0.0, whole_ns - idle_ns) / refused / 1_000, 1)


def bearable_attack_x(phase: Phase, prices: Prices | None) -> float:
    """The highest x with honest + x * c_no / c_yes <= 0.9, between 5 and what the phase wants; 5 without prices."""
    if prices is None:
        return min(phase.attack_x, ATTACK_X_MIN)
    free = (BUSY_MAX - phase.offered_x) * prices.served_us / prices.refused_us
    return round(min(phase.attack_x, max(ATTACK_X_MIN, free)), 1)
