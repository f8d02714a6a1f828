"""What the workers of a cell tell each other of the waiting room, and what each knows of the others.

Each tells once a second what it counted itself, where its cursors are and how many it lets in. Nobody leads: whoever
has heard the same knows the same. A message may be lost, late or double; the next says it again.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from firstbell.gate.line import Lane, Line, LineKey, Place, Reach

SUBJECT = "gate.room"
"""Of the messages, on the bus."""
PEERS_MAX = 256
"""Workers that one knows of; more than any cell has."""
LINES_MAX = 1_000
"""Lines in one message: 500 schools with two lanes, which is 1 MB in three hours of waiting and 100 kB on a morning."""
COUNTS_MAX = 100_000
"""Counts in one message that tells all: 0.8 MB, where NATS carries 1 MB. With more, whoever asked hears a tenth each
second as always."""
NEWEST_BUCKETS = 3
"""Periods that each message repeats: what is counted now, and what a lost message had of the last one."""
OLDER_PART = 10
"""Older counts do not change any more: each message has a tenth of them, for whoever came or was cut off."""


class LinePart(msgspec.Struct, frozen=True, array_like=True):
    """One line as a worker tells it: its cursor, the entries saved there, and its own counts by period."""

    school: bytes
    lane: Lane
    bucket: int
    rank: int
    saved: float
    people: dict[int, int]

    @property
    def key(self) -> LineKey:
        """The line's name."""
        return LineKey(self.school, self.lane)

    @property
    def reach(self) -> Reach:
        """How far the worker lets people in."""
        return Reach(Place(self.bucket, self.rank), self.saved)


class Part(msgspec.Struct, frozen=True, array_like=True):
    """What one worker knows at first hand.

    `rate_per_s` is infinite in peace. `sequence` grows with each message, and is 0 in a file.
    `is_joining` says that it has just started, so that its cursors may be of long ago; `asks_all` that it was not
    there for a while and wants to hear all counts.
    """

    worker: bytes
    sequence: int
    rate_per_s: float
    is_joining: bool
    asks_all: bool
    lines: list[LinePart]


def pack(part: Part) -> bytes:
    """The part as it travels and is kept."""
    return msgspec.msgpack.encode(part)


def unpack(data: bytes) -> Part:
    """The part in a message or a file.

    Raises:
        msgspec.MsgspecError: it holds something else.
    """
    return msgspec.msgpack.decode(data, type=Part)


def line_part(key: LineKey, line: Line, counted: dict[int, int]) -> LinePart:
    """The line with the counts that are to be told."""
    return LinePart(key.school, key.lane, *line.reach.cursor, line.reach.saved, counted)


def told_now(counted: dict[int, int], *, newest: int, turn: int) -> dict[int, int]:
    """What of a worker's counts is in the message of this turn."""
    return {
        bucket: people
        for bucket, people in counted.items()
        if bucket > newest - NEWEST_BUCKETS or bucket % OLDER_PART == turn % OLDER_PART
    }


@dataclass(slots=True)
class _Peer:
    sequence: int
    heard_at: float
    rate_per_s: float
    reaches: dict[LineKey, Reach]


class Peers:
    """The other workers. One that is silent for `silent_s` is forgotten: its counts stay, its rate does not."""

    def __init__(self, silent_s: float) -> None:
        self._silent_s = silent_s
        self._peers: dict[bytes, _Peer] = {}

    def hear(self, part: Part, now: float) -> bool:
        """Take what a worker tells; False when it is older than what is known of that worker."""
        known = self._peers.get(part.worker)
        if known is not None and part.sequence <= known.sequence and self._is_heard(known, now):
            return False
        if known is None and len(self._peers) >= PEERS_MAX:
            del self._peers[min(self._peers, key=lambda worker: self._peers[worker].heard_at)]
        reaches = {} if part.is_joining else {line.key: line.reach for line in part.lines}
        self._peers[part.worker] = _Peer(part.sequence, now, part.rate_per_s, reaches)
        return True

    def rate_per_s(self, now: float) -> float:
        """How many people those of the others that have a limit let in each second, together."""
        return sum(peer.rate_per_s for peer in self._heard(now) if peer.rate_per_s < math.inf)

    def are_limited(self, now: float) -> bool:
        """True when one of the others has a limit."""
        return any(peer.rate_per_s < math.inf for peer in self._heard(now))

    def slowest(self, now: float) -> dict[LineKey, Reach]:
        """How far each line is let in by whoever of the others lets in least."""
        found: dict[LineKey, Reach] = {}
        for peer in self._heard(now):
            for key, reach in peer.reaches.items():
                found[key] = min(reach, found.get(key, reach))
        return found

    def _heard(self, now: float) -> Iterator[_Peer]:
        return (peer for peer in self._peers.values() if self._is_heard(peer, now))

    def _is_heard(self, peer: _Peer, now: float) -> bool:
        return now - peer.heard_at < self._silent_s
