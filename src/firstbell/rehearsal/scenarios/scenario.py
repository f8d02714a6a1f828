"""The form of a scenario: its story, its phases, and what must hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from firstbell.rehearsal.bars import Bar

SLOW_CONNECTIONS = 4_000
"""As many as slowhttptest's own examples hold open."""


class Fault(StrEnum):
    """What goes wrong, to processes that the rehearsal itself started."""

    WORKER_KILLED = "a worker is killed"
    NATS_STOPPED = "NATS is stopped"
    POSTGRES_RESTARTED = "PostgreSQL is restarted"
    STORAGE_SLOW = "the storage is slow"


class Schools(StrEnum):
    """Whose people come: those of all schools, of the last one, or of all but that."""

    ALL = "all"
    ONE = "one"
    OTHERS = "others"

    def hosts(self, every: Iterable[str]) -> tuple[str, ...]:
        """Which of all host names these are; none means all."""
        names = tuple(every)
        return {Schools.ALL: (), Schools.ONE: names[-1:], Schools.OTHERS: names[:-1]}[self]

    def part(self, people: Mapping[str, int]) -> float:
        """What part of all people these are, who are counted by host name."""
        return sum(people[host] for host in self.hosts(people) or people) / max(1, sum(people.values()))


@dataclass(frozen=True, slots=True)
class Throng:
    """People who come for the same. `x` counts them as a multiple of the people a second that capacity serves."""

    x: float
    until_x: float | None = None
    """For a ramp: how many come at its end."""
    name: str = "everybody"
    journey: str = "morning"
    schools: Schools = Schools.ALL
    is_part: bool = False
    """True: `x` is what all schools would bring, and these bring their part of it."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the scenario. `share` is its part of the scenario's minutes."""

    name: str
    share: float
    throngs: tuple[Throng, ...]
    attack_x: float = 0.0
    """Requests of attackers, as a multiple of the steps a second that capacity serves.

    Without the edge this is brought down to what leaves a tenth of the core free beside the honest load.
    """
    slow_connections: int = 0
    faults: tuple[Fault, ...] = ()
    """They happen one after the other, spread over the phase."""

    @property
    def offered_x(self) -> float:
        """How much honest load comes, at its highest."""
        return sum(max(throng.x, throng.until_x or 0.0) for throng in self.throngs)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A school morning, or what it may come to."""

    name: str
    story: str
    minutes: float
    phases: tuple[Phase, ...]
    bars: tuple[Bar, ...]

    def bars_of(self, *, edge: bool) -> list[Bar]:
        """What must hold with the edge in front, or without it."""
        return [bar for bar in self.bars if bar.edge in {None, edge}]

    @property
    def attacks(self) -> bool:
        """True when anybody attacks."""
        return any(phase.attack_x or phase.slow_connections for phase in self.phases)


def everybody(x: float, until_x: float | None = None) -> tuple[Throng, ...]:
    """All schools' mornings."""
    return (Throng(x, until_x),)
