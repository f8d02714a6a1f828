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
    """People who come for the same; `hosts` are the schools that they are of, none means all schools."""

    name: str
    journey: str
    stretches: tuple[Stretch, ...]
    hosts: tuple[str, ...] = ()
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
    """Send prepared requests, at `per_s` together in each stretch, and hold slow connections meanwhile."""

    target: Target
    floods: tuple[bytes, ...]
    sprays: tuple[bytes, ...]
    """Requests that try a password, a tenth of all where there are any."""
    own_sources: tuple[str, ...]
    """Addresses that honest people come from as well."""
    other_sources: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    begins_at: float
    seconds: float
    seed: int
    kept_share: float = 0.5
    """How many of the requests go over kept connections, the others over new ones."""
    slow_connections: int = 0
    slow_from_s: float = 0.0
    slow_host: str = ""
    slow_path: str = ""
    """A file that has ranges."""
