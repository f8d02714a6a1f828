"""What a generator is told to do; sent to its process whole, before it begins."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stretch:
    """People of one crowd, at a steady rate between two seconds of the run."""

    from_s: float
    until_s: float
    per_s: float


@dataclass(frozen=True, slots=True)
class Crowd:
    """People who come for the same; `host` is the one school that they are all of, "" means all schools."""

    name: str
    journey: str
    stretches: tuple[Stretch, ...]
    host: str = ""
    known_share: float = 0.95
    """How many resume on a known device; the others sign in with a password."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes. Only loopback is ever aimed at without being named twice."""

    host: str
    port: int

    @property
    def address(self) -> tuple[str, int]:
        """As sockets want it."""
        return self.host, self.port


@dataclass(frozen=True, slots=True)
class Orders:
    """Play `crowds` from `begins_at` (seconds of the monotonic clock, which all processes share) for `seconds`.

    `haste` divides every pause in which people read or type.
    """

    target: Target
    cast: Path
    crowds: tuple[Crowd, ...]
    begins_at: float
    seconds: float
    haste: float
    seed: int


@dataclass(frozen=True, slots=True)
class AttackOrders:
    """Attack as `kinds` from the addresses `sources`, `per_s` requests together in each stretch."""

    target: Target
    hosts: tuple[str, ...]
    names: tuple[str, ...]
    sources: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    slow_connections: int
    begins_at: float
    seconds: float
    seed: int
