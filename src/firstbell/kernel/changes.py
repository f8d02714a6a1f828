"""What every worker must hear of: NATS hints, PostgreSQL decides.

The rows of `change` are numbered in the order of their commits. Each worker follows their tail: on a hint at once, when
the bus returns, and every few seconds in any case.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import groupby
from uuid import UUID

import structlog

from firstbell.kernel.db import Pool, Row, Transaction

log = structlog.get_logger("firstbell.changes")

SUBJECT = "changes"
"""The subject on the bus that says: read the tail now."""

_ROWS_MAX = 5_000
"""Rows per read, so that a large import is heard of in parts."""

Heard = Callable[[Sequence[UUID]], Awaitable[None]]


async def record_change(tx: Transaction, school_id: UUID, kind: str, subject_ids: Sequence[UUID]) -> None:
    """Tell every worker, once `tx` commits, that `subject_ids` are not what they were.

    Writers of changes wait for each other until they commit: let this be the last thing that a long action does.
    """
    if not subject_ids:
        return
    await tx.execute(
        "INSERT INTO change (school_id, kind, subject_id) SELECT $1, $2, unnest($3::uuid[])",
        school_id,
        kind,
        list(subject_ids),
    )
    tx.hint(SUBJECT)


class Changes:
    """One worker's reader of the tail. Say with `on` who hears of what, then `start`."""

    def __init__(self, *, poll_s: float, old_s: float) -> None:
        self._poll_s = poll_s
        self._old_s = old_s
        self._listeners: dict[str, list[Heard]] = {}
        self._hinted = asyncio.Event()
        self._seq = 0
        self._read_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def on(self, kind: str, heard: Heard) -> None:
        """Await `heard` with the subjects of each change of this kind, in order."""
        self._listeners.setdefault(kind, []).append(heard)

    async def start(self, pool: Pool, *, since_s: float) -> None:
        """Hear what changed in the last `since_s` seconds, then follow."""
        async with pool.begin(reading_only=True) as tx:
            self._seq = await tx.fetchval(
                "SELECT coalesce(max(seq), 0) FROM change WHERE at <= now() - make_interval(secs => $1)", since_s
            )
        await self._read_tail(pool)
        self._task = asyncio.create_task(self._follow(pool), name="changes")

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def hint(self) -> None:
        """Read the tail now: somebody wrote."""
        self._hinted.set()

    async def hear(self, _payload: bytes = b"") -> None:
        """What the bus calls for a hint, and when it is back: some may have been lost."""
        self._hinted.set()

    @property
    def is_old(self) -> bool:
        """True when the tail was not read for so long that what it would say must be asked for instead."""
        return asyncio.get_running_loop().time() - self._read_at >= self._old_s

    async def _follow(self, pool: Pool) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hinted.wait(), self._poll_s)
            self._hinted.clear()
            try:
                await self._read_tail(pool)
            except Exception as error:  # whatever it was, the answer is to try again and to be old meanwhile
                log.warning("tail not read", reason=str(error) or type(error).__name__)

    async def _read_tail(self, pool: Pool) -> None:
        is_more = True
        while is_more:
            began_at = asyncio.get_running_loop().time()
            rows = await self._read_rows(pool)
            for kind, group in groupby(rows, lambda row: row["kind"]):
                subject_ids = [row["subject_id"] for row in group]
                for heard in self._listeners.get(kind, ()):
                    await heard(subject_ids)
            if rows:
                self._seq = rows[-1]["seq"]
            is_more = len(rows) == _ROWS_MAX
        self._read_at = began_at

    async def _read_rows(self, pool: Pool) -> list[Row]:
        async with pool.begin(reading_only=True) as tx:
            return await tx.fetch(
                "SELECT seq, kind, subject_id FROM change WHERE seq > $1 ORDER BY seq LIMIT $2", self._seq, _ROWS_MAX
            )
