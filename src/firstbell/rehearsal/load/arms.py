"""What attackers are given: prepared requests, and the addresses that they come from."""

from dataclasses import dataclass

from firstbell.rehearsal.load.orders import AttackOrders, Stretch, Target


@dataclass(frozen=True, slots=True)
class Arms:
    """Made once for a rehearsal."""

    floods: tuple[bytes, ...]
    sprays: tuple[bytes, ...]
    refused: tuple[bytes, ...]
    """What is asked to price a refusal: by attackers, and as often by known devices."""
    own_sources: tuple[str, ...]
    other_sources: tuple[str, ...]
    slow_host: str
    slow_path: str

    def orders(
        self,
        target: Target,
        stretches: tuple[Stretch, ...],
        *,
        seconds: float,
        seed: int,
        slow_connections: int = 0,
        slow_from_s: float = 0.0,
    ) -> AttackOrders:
        """Orders for one attack; whoever sends them says when it begins."""
        return AttackOrders(
            target=target,
            floods=self.floods,
            sprays=self.sprays,
            own_sources=self.own_sources,
            other_sources=self.other_sources,
            stretches=stretches,
            begins_at=0.0,
            seconds=seconds,
            seed=seed,
            slow_connections=slow_connections,
            slow_from_s=slow_from_s,
            slow_host=self.slow_host,
            slow_path=self.slow_path,
        )
