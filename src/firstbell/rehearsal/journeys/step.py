"""What a journey is made of. A journey yields steps and gets each one's answer, or None when it was given up."""

import re
from collections.abc import Generator
from enum import IntEnum
from typing import NamedTuple

from firstbell.rehearsal.bench.connection import FORM, Answer

_ID = re.compile(r"[0-9a-f-]{36,}")


class Urgency(IntEnum):
    """The class of a step, as the gate has it: P0 is kept longest."""

    P0 = 0
    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4


class Step(NamedTuple):
    """One request that somebody wants to be answered, `think_s` seconds after the answer before it, on average."""

    urgency: Urgency
    path: str
    think_s: float = 0.0
    method: str = "GET"
    body: bytes = b""
    content_type: str = FORM
    wanted: tuple[int, ...] = (200,)
    receipt: str = ""
    """For a write: what it is called when the server acknowledges it, for the ledger."""

    @property
    def place(self) -> str:
        """Its path without ids: what errors are told apart by."""
        return _ID.sub("…", self.path.partition("?")[0])


Journey = Generator[Step, Answer | None, None]
