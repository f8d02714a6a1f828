"""What is declared beside each route: who may call it, how urgent it is, how large its body may be."""

from enum import IntEnum
from typing import Any


class Priority(IntEnum):
    """What the gate keeps longest: P0 before P4."""

    P0 = 0
    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4


def route(
    access: object,
    priority: Priority,
    *,
    body_bytes_max: int | None = None,
    streams: bool = False,
    hashes: bool = False,
) -> dict[str, Any]:
    """The `opt` of a handler.

    `body_bytes_max` None means the ordinary form's limit in settings; `streams` that the handler takes the body as it
    arrives, within limits of its own; `hashes` that it hashes a password, for which the gate has a small lane.
    """
    return {
        "access": access,
        "priority": priority,
        "body_bytes_max": body_bytes_max,
        "streams": streams,
        "hashes": hashes,
    }
