"""What a rehearsal came to: the figures in the shape that programs read, and the bars that they are held against."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

PRIORITIES = 5
LAG_MS_MAX = 10.0
"""A generator that is later than this in one case of a hundred did not offer what it says."""


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
    valid: bool
    cores_serving: float
    attack_x: float


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
    is_bounded: bool = False
    """True when the run was told to offer no more, so that it proves nothing."""


class Results(msgspec.Struct, frozen=True):
    """A whole run."""

    scenario: str
    edge: bool
    capacity_rps: float
    limit_ratio: float | None
    """What was reached of the limit that the price of refusals sets; None where nobody was refused."""
    phases: list[PhaseFigures]
    known_device_success: float | None
    attacker_served_share: float | None
    stranger_sign_in_p95_s: float | None
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


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that must hold. `measure` gives None where nothing was measured, which does not hold either."""

    sentence: str
    measure: Callable[[Results], float | None]
    least: float | None = None
    most: float | None = None

    def is_held(self, results: Results) -> bool:
        """True when the measured figure is within the bar."""
        measured = self.measure(results)
        if measured is None:
            return False
        return (self.least is None or measured >= self.least) and (self.most is None or measured <= self.most)


def generator_kept_time() -> Bar:
    """In every phase, so that what was offered is what is said."""
    return Bar(
        "the generator's lag, p99 of the worst phase, ms",
        lambda results: max(phase.lag_p99_ms for phase in results.phases),
        most=LAG_MS_MAX,
    )


def goodput(phase: str, least: float) -> Bar:
    """Against that of capacity."""
    return Bar(f"{phase}: goodput against capacity", lambda results: results.phase(phase).goodput_ratio, least=least)


def served(phase: str, priority: int, least: float) -> Bar:
    """The share of a class that was served."""

    def share(results: Results) -> float | None:
        figures = results.phase(phase).by_class[f"P{priority}"]
        return figures.served / figures.offered if figures.offered else None

    return Bar(f"{phase}: P{priority} served", share, least=least)


def succeeds(phase: str, crowd: str, least: float) -> Bar:
    """The share of a crowd's steps that was served."""
    return Bar(f"{phase}: {crowd} served", lambda results: results.phase(phase).success.get(crowd), least=least)


def latency(phase: str, against: str, times: float = 2.0) -> Bar:
    """What is admitted is as fast as ever, and never over a second."""

    def share(results: Results) -> float | None:
        allowed_ms = min(1_000.0, times * results.phase(against).p99_ms)
        return results.phase(phase).p99_ms / allowed_ms if allowed_ms else None

    return Bar(f"{phase}: p99 against {times:g}x that of {against}, at most 1 s", share, most=1.0)


def latency_ms(phase: str, most: float) -> Bar:
    """The p99 of what is served."""
    return Bar(f"{phase}: p99, ms", lambda results: results.phase(phase).p99_ms, most=most)


def recovers(seconds: float) -> Bar:
    """After the load has gone, without a restart."""
    return Bar("normal again after, s", lambda results: results.recovery_s, most=seconds)


def known_devices(least: float) -> Bar:
    """Whoever was here before gets in."""
    return Bar("steps served on known devices", lambda results: results.known_device_success, least=least)


def strangers_sign_in(seconds: float) -> Bar:
    """Whoever is honest and new gets in, too."""
    return Bar("sign-in on an unknown device, p95, s", lambda results: results.stranger_sign_in_p95_s, most=seconds)


def limit_reached(least: float) -> Bar:
    """Against what the price of refusals leaves."""
    return Bar("goodput against the limit", lambda results: results.limit_ratio, least=least)


def estimates_kept() -> tuple[Bar, Bar]:
    """The waiting room keeps its word."""
    return (
        Bar("admitted within the estimate", lambda results: results.waiting.eta_within, least=0.9),
        Bar("places lost in the waiting room", lambda results: float(results.waiting.lost_places), most=0),
    )


def nothing_lost() -> tuple[Bar, Bar]:
    """What was acknowledged is there, once."""
    return (
        Bar("acknowledged writes lost", lambda results: float(results.acknowledged_lost), most=0),
        Bar("acknowledged writes twice", lambda results: float(results.duplicates), most=0),
    )


def errors_end_within(seconds: float) -> Bar:
    """No error page for longer."""
    return Bar("errors in a row of seconds, at most", lambda results: float(results.longest_error_s), most=seconds)
