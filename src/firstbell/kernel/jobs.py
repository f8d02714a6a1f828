"""Background work on PgQueuer: enqueued in the transaction that causes it, run at least once by `firstbell work`.

A job may run twice, when a process dies between its work and the note that it is done: handlers end in the same state.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from firstbell.kernel.bus import Bus
from firstbell.kernel.clock import Clock, Ids
from firstbell.kernel.db import Pool, Transaction
from firstbell.settings import Settings

PAYLOAD_BYTES_MAX = 64_000
"""A payload names rows; what is larger belongs in a table."""


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What a job is told. A subclass is one kind of job; `tag` in its declaration is the name in the queue."""

    school_id: UUID


P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Work:
    """What every job may use, as handlers of requests get theirs."""

    pool: Pool
    clock: Clock
    ids: Ids
    settings: Settings
    bus: Bus

    def in_school(self, school_id: UUID) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that reads and writes one school."""
        return self.pool.begin(readable=(school_id,), writable=school_id)


@dataclass(frozen=True, slots=True)
class Job(Generic[P]):
    """One kind of background work: what it is told and what it does."""

    payload: type[P]
    run: Callable[[Work, P], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work at fixed times, by one process of the cell. `cron` has five fields, in UTC; a failure waits for the next."""

    name: str
    cron: str
    run: Callable[[Work], Awaitable[None]]


def job_name(payload: type[Payload]) -> str:
    """The name of a kind of job in the queue, the log and the metrics."""
    return str(payload.__struct_config__.tag)


async def enqueue(tx: Transaction, payload: Payload, *, delay_s: float = 0, once: str | None = None) -> None:
    """Have a job run after this transaction commits, and never when it does not.

    Of the jobs that wait or run under the same `once`, there is only one.

    Raises:
        ValueError: the payload is larger than 64 kB.
    """
    data = msgspec.json.encode(payload)
    if len(data) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"{job_name(type(payload))} got a payload of {len(data)} bytes")
    # As PgQueuer's own `enqueue` does; the library costs half a second of start and 40 MB, too much for a web process.
    await tx.execute(
        """
        WITH job AS (
            INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)
            VALUES (0, $1, $2, now() + $3, $4, 'queued')
            ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL DO NOTHING
            RETURNING id, entrypoint, priority
        )
        INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
        SELECT id, 'queued', entrypoint, priority FROM job
        """,
        job_name(type(payload)),
        data,
        timedelta(seconds=delay_s),
        once,
    )


class QueueLine(msgspec.Struct, frozen=True):
    """How many jobs of one kind are in one state, and since when the oldest waits."""

    name: str
    state: str
    count: int
    oldest: datetime


class HeldJob(msgspec.Struct, frozen=True):
    """A job that failed every time and waits for somebody to look; `reason` is the last line of its last error."""

    id: int
    name: str
    attempts: int
    since: datetime
    reason: str


async def list_queue(tx: Transaction) -> list[QueueLine]:
    """What is in the queue: state `queued`, `picked` (running) or `failed` (held)."""
    rows = await tx.fetch(
        """
        SELECT entrypoint, status::text AS state, count(*) AS count, min(created) AS oldest
        FROM pgqueuer GROUP BY entrypoint, status ORDER BY entrypoint, status
        """
    )
    return [QueueLine(row["entrypoint"], row["state"], row["count"], row["oldest"]) for row in rows]


async def list_held(tx: Transaction, limit: int = 100) -> list[HeldJob]:
    """The jobs that failed every time, the latest first."""
    rows = await tx.fetch(
        """
        SELECT job.id, job.entrypoint, job.attempts, job.updated,
               (SELECT coalesce(traceback ->> 'exception_message', '') FROM pgqueuer_log AS entry
                WHERE entry.job_id = job.id AND traceback IS NOT NULL ORDER BY entry.created DESC LIMIT 1) AS reason
        FROM pgqueuer AS job WHERE job.status = 'failed' ORDER BY job.updated DESC LIMIT $1
        """,
        limit,
    )
    return [HeldJob(row["id"], row["entrypoint"], row["attempts"], row["updated"], row["reason"] or "") for row in rows]


async def release_held(tx: Transaction, ids: Sequence[int]) -> int:
    """Let held jobs run again from their first attempt; how many there were."""
    return await tx.execute(
        """
        UPDATE pgqueuer SET status = 'queued', attempts = 0, execute_after = now(), updated = now()
        WHERE status = 'failed' AND id = ANY($1::bigint[])
        """,
        list(ids),
    )


async def forget_finished(work: Work) -> None:
    """Remove what the log of the queue keeps about jobs that ended more than 30 days ago."""
    async with work.pool.begin() as tx:
        await tx.execute("DELETE FROM pgqueuer_log WHERE created < now() - interval '30 days' AND aggregated")
        await tx.execute("DELETE FROM pgqueuer_statistics WHERE created < now() - interval '30 days'")
