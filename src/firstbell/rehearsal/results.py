"""What a rehearsal came to: the figures in the shape that programs read."""

import msgspec

PRIORITIES = 5
LAG_MS_MAX = 10.0
"""A generator that is later than this in one case of a hundred did not offer what it says."""
STOLEN_MAX = 0.1
"""A host that takes more than this of the time of a virtual machine is what was measured: the capacity itself is only
known to 7 %."""


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
    valid: bool
    """The load was what it says, and the machine was there for it."""
    cores_serving: float
    attack_x: float
    refusals_new_per_served: float
    """Those of `refusals_per_served` that needed a connection of their own."""
    client_cpu_us: float
    """What the generators took for each step, so that one knows how much they could have offered."""


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
        late = [phase.name for phase in self.phases if phase.lag_p99_ms > LAG_MS_MAX]
        stolen = ["capacity"] if self.capacity.stolen_share > STOLEN_MAX else []
        stolen += [phase.name for phase in self.phases if phase.stolen_share > STOLEN_MAX]
        told = []
        if late:
            told.append(
                f"Not valid: {', '.join(late)}. The generator itself was late by more than {LAG_MS_MAX:g} ms in one "
                "case of a hundred, so that the load was not what is written here."
            )
        if stolen:
            told.append(
                f"Not valid: {', '.join(stolen)}. The host of this virtual machine gave more than {STOLEN_MAX:.0%} of "
                "its time to others though there was something to do: that is what was measured."
            )
        if self.capacity.is_bounded:
            told.append("A trial: the load was bounded on request, so that nothing is proved.")
        return told
