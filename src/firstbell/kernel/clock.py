"""Time and ids, injected, so that a morning can be replayed."""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

_IDS_PER_MS = 4_096


class Clock:
    """The time of this installation. `offset_s` moves it: a rehearsal plays half past eight at any hour."""

    def __init__(self, offset_s: float = 0.0) -> None:
        self._offset_s = offset_s

    @property
    def offset_s(self) -> float:
        """How far it is ahead of the real clock."""
        return self._offset_s

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.fromtimestamp(time.time() + self._offset_s, UTC)

    def seconds(self) -> float:
        """The present instant as seconds since 1970."""
        return time.time() + self._offset_s


class StoppedClock(Clock):
    """A clock that stands until it is set: for tests of what time does."""

    def __init__(self, instant: datetime) -> None:
        super().__init__()
        self.instant = instant

    def now(self) -> datetime:
        """The instant at which it stands."""
        return self.instant

    def seconds(self) -> float:
        """The instant at which it stands, as seconds since 1970."""
        return self.instant.timestamp()


def clock_from(start: str) -> Clock:
    """The real clock for an empty `start`, one so many seconds beside it (`+60`), or one that begins at an ISO instant.

    Raises:
        ValueError: `start` is neither, or an instant without a zone.
    """
    if not start:
        return Clock()
    if start[0] in "+-":
        return Clock(float(start))
    instant = datetime.fromisoformat(start)
    if instant.tzinfo is None:
        raise ValueError(f"{start} has no time zone")
    return Clock(instant.timestamp() - time.time())


def begin_clock(start: str) -> str:
    """`start` as seconds beside the real clock: what starts later, such as another worker, then has the same time.

    Raises:
        ValueError: as `clock_from`.
    """
    return f"{clock_from(start).offset_s:+f}" if start else ""


class Ids:
    """UUIDv7 (RFC 9562, section 5.7): ordered by time, so that new rows land together in an index."""

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._last_ms = 0
        self._counter = 0
        self._lock = threading.Lock()

    def new(self) -> UUID:
        """A new id. Those of one process strictly increase; past 4,096 in one ms their time runs ahead."""
        with self._lock:
            now_ms = int(self._clock.seconds() * 1000)
            if now_ms > self._last_ms:
                self._last_ms, self._counter = now_ms, 0
            else:
                self._counter += 1
                if self._counter == _IDS_PER_MS:
                    self._last_ms, self._counter = self._last_ms + 1, 0
            stamp, counter = self._last_ms, self._counter
        tail = int.from_bytes(self._random_bytes(8)) & 0x3FFF_FFFF_FFFF_FFFF
        return UUID(int=(stamp << 80) | (0x7000 | counter) << 64 | 1 << 63 | tail)

    def unordered(self) -> str:
        """32 digits that name something for a while, such as a request in the log: a fraction of the work of `new`."""
        return self._random_bytes(16).hex()
