"""What happens in one domain and must be heard in those above it, in the same transaction: all of it or nothing.

An event is a frozen struct in the `model.py` of the domain where it happens. Who hears it is said in one place, in
`firstbell.listeners`. What may be heard late, after the commit and by other processes, is a hint: `Transaction.hint`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from firstbell.kernel.db import Transaction


class Event(msgspec.Struct, frozen=True):
    """Something that happened, with the ids of what it happened to."""


E = TypeVar("E", bound=Event)
Hear = Callable[[Transaction, E], Awaitable[None]]


class Events:
    """Who hears of what."""

    def __init__(self) -> None:
        self._hearers: dict[type[Event], list[Hear[Any]]] = {}

    def on(self, kind: type[E], hear: Hear[E]) -> None:
        """Await `hear` for each event of this kind, in the order of subscription."""
        self._hearers.setdefault(kind, []).append(hear)

    async def tell(self, tx: Transaction, event: Event) -> None:
        """Tell an event to all who hear of it; what fails there fails here."""
        for hear in self._hearers.get(type(event), ()):
            await hear(tx, event)
