"""What must hold after a rehearsal, and whether it does."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from firstbell.rehearsal.results import PREMISES, Premise, Results


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that must hold. `measure` gives None where nothing was measured, which does not hold either."""

    sentence: str
    measure: Callable[[Results], float | None]
    least: float | None = None
    most: float | None = None
    edge: bool | None = None
    """True: held only against runs with the edge in front; False: only against those without; None: both."""

    @property
    def wanted(self) -> str:
        """The bound in words."""
        return f"at least {self.least:,}" if self.least is not None else f"at most {self.most:,}"

    def shown(self, results: Results) -> str:
        """What was measured, in words."""
        measured = self.measure(results)
        return "not measured" if measured is None else f"{measured:,.4g}"

    def is_held(self, results: Results) -> bool:
        """True when the measured figure is within the bar."""
        measured = self.measure(results)
        if measured is None:
            return False
        return (self.least is None or measured >= self.least) and (self.most is None or measured <= self.most)


def alone(bar: Bar) -> Bar:
    """`bar` for runs in which Granian and the gate stand alone."""
    return replace(bar, edge=False)


def with_edge(bar: Bar) -> Bar:
    """`bar` for runs with the edge in front."""
    return replace(bar, edge=True)


def truly_measured() -> tuple[Bar, ...]:
    """In every phase the load was what is said, and the machine was there for it."""
    return tuple(map(_worst, PREMISES))


def _worst(premise: Premise) -> Bar:
    return Bar(premise.sentence, lambda results: max(map(premise.measure, results.phases)), most=premise.most)


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


def refusals_cost(kept_us: float, new_us: float) -> tuple[Bar, Bar]:
    """End to end: all CPU of the processes that serve, for one refusal."""
    return (
        Bar(
            "CPU of a refusal on a kept connection, us",
            lambda results: results.prices.refused_kept_us if results.prices else None,
            most=kept_us,
        ),
        Bar(
            "CPU of a refusal on a new connection, us",
            lambda results: results.prices.refused_new_us if results.prices else None,
            most=new_us,
        ),
    )


def attack_reached(phase: str, least: float) -> Bar:
    """The attack was as heavy as it must be to prove anything."""
    return Bar(f"{phase}: attack against capacity", lambda results: results.phase(phase).attack_x, least=least)


def nobody_banned() -> Bar:
    """Honest people go on being served from every school's address."""
    return Bar("addresses of schools that were shut out", lambda results: results.addresses_banned, most=0)


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
