"""What a rehearsal came to: the figures in the shape that programs read."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

PRIORITIES = 5
LAG_MS_MAX = 10.0
"""A generator that is later than this in one case of a hundred did not offer what it says."""
STOLEN_MAX = 0.1
"""A host that takes more than this of the time of a virtual machine is what was measured: the capacity itself is only
known to 7 %."""
SPEED_CHANGE_MAX = 1.2
"""A machine that has become so many times slower or faster since its capacity was found has another one."""


class ClassFigures(msgspec.Struct, frozen=True):
    """One class in one phase; times are those of served steps, from the moment at which each was due."""

    offered: int
    served: int
    refused: int
    p50_ms: float
    p99_ms: float


class PhaseFigures(msgspec.Struct, frozen=True):
    """One phase. Goodput counts answers within a second; its ratio is against that of capacity."""

    name: str
    offered_x: float
    goodput_rps: float
    goodput_ratio: float
    by_class: dict[str, ClassFigures]
    p99_ms: float
    success: dict[str, float]
    """By crowd: served steps against offered ones."""
    refusals_per_served: float
    lag_p99_ms: float
    stolen_share: float
    """Of this machine's time, what its host gave to others though there was something to do, 0 to 1."""
    speed: float
    """Of the core that serves, against that while the capacity was found; 1 where it is not known."""
    cores_serving: float
    attack_x: float
    refusals_new_per_served: float
    """Those of `refusals_per_served` that needed a connection of their own."""
    client_cpu_us: float
    """What the generators took for each step, so that one knows how much they could have offered."""
    valid: bool = False
    """All premises held: the load was what it says, and the machine was there for it."""


class Premise(NamedTuple):
    """What must be so in a phase, at most `most`, or nothing else of it is valid, for the reason `doubt`."""

    sentence: str
    measure: Callable[[PhaseFigures], float]
    most: float
    doubt: str

    def is_held(self, phase: PhaseFigures) -> bool:
        """True when the phase is not in doubt."""
        return self.measure(phase) <= self.most


PREMISES = (
    Premise(
        "the generator's lag, p99 of the worst phase, ms",
        lambda phase: phase.lag_p99_ms,
        LAG_MS_MAX,
        f"The generator itself was late by more than {LAG_MS_MAX:g} ms in one case of a hundred, so that the load was "
        "not what is written here.",
    ),
    Premise(
        "time that the host of this machine took, worst phase",
        lambda phase: phase.stolen_share,
        STOLEN_MAX,
        f"The host of this virtual machine gave more than {STOLEN_MAX:.0%} of its time to others though there was "
        "something to do: that is what was measured.",
    ),
    Premise(
        "factor by which the speed of this machine changed, worst phase",
        lambda phase: max(phase.speed, 1 / phase.speed),
        SPEED_CHANGE_MAX,
        f"This machine was more than {SPEED_CHANGE_MAX:g} times slower or faster than when its capacity was found, so "
        "that neither the load nor the goodput is the share of it that is written here.",
    ),
)


class WaitingFigures(msgspec.Struct, frozen=True):
    """How the waiting room kept its word. None: nobody waited, or no estimate was shown."""

    people: int
    admitted: int
    eta_within: float | None
    eta_rose_over_10pct: float | None
    lost_places: int


class Capacity(msgspec.Struct, frozen=True):
    """The highest goodput at which P1's p99 stayed under 250 ms. `cpu_us` is the CPU time of a served step."""

    people_per_s: float
    steps_per_s: float
    p99_ms: float
    cpu_us: float
    stolen_share: float = 0.0
    """As in a phase."""
    work_us: float = 0.0
    """CPU microseconds of a piece of work that is always the same, on the core that serves; 0 where it is not known."""
    is_bounded: bool = False
    """True when the run was told to offer no more, so that it proves nothing."""


class Prices(msgspec.Struct, frozen=True):
    """CPU microseconds for a step, for a refusal on a kept connection and for one on a new one, end to end.

    The last two are what of that falls to the core that serves: with the edge, most refusals do not reach it.
    """

    served_us: float
    refused_kept_us: float
    refused_new_us: float
    serving_kept_us: float
    serving_new_us: float

    def limit(self, kept_per_served: float, new_per_served: float) -> float:
        """The share of capacity that nobody on the same core beats with so many refusals for each served step."""
        refusing_us = kept_per_served * self.serving_kept_us + new_per_served * self.serving_new_us
        return self.served_us / (self.served_us + refusing_us)

    @property
    def serving_us(self) -> float:
        """The mean of both on the core that serves: attackers keep every second connection."""
        return (self.serving_kept_us + self.serving_new_us) / 2


class Results(msgspec.Struct, frozen=True):
    """A whole run."""

    scenario: str
    edge: bool
    capacity_rps: float
    prices: Prices | None
    limit: float | None
    """The share of capacity that the price of refusals leaves in the phase with most of them."""
    limit_ratio: float | None
    """What was reached of that limit; None where nobody was refused."""
    phases: list[PhaseFigures]
    known_device_success: float | None
    attacker_served_share: float | None
    stranger_sign_in_p95_s: float | None
    addresses_banned: int | None
    """Addresses of schools from which nobody was served for a while during an attack; None without one."""
    waiting: WaitingFigures
    recovery_s: float | None
    longest_error_s: int
    errors: dict[str, int]
    acknowledged: int
    acknowledged_lost: int
    duplicates: int
    capacity: Capacity

    def phase(self, name: str) -> PhaseFigures:
        """The phase of that name."""
        return next(phase for phase in self.phases if phase.name == name)

    def doubts(self) -> list[str]:
        """In a sentence each, why something of this run is not valid."""
        told = []
        for premise in PREMISES:
            doubted = [phase.name for phase in self.phases if not premise.is_held(phase)]
            if doubted:
                told.append(f"Not valid: {', '.join(doubted)}. {premise.doubt}")
        if self.capacity.stolen_share > STOLEN_MAX:
            told.append(
                f"Not valid: the host of this virtual machine took {self.capacity.stolen_share:.0%} of its time "
                "while the capacity was found."
            )
        if self.capacity.is_bounded:
            told.append("A trial: the load was bounded on request, so that nothing is proved.")
        return told
