"""Background work on PgQueuer: enqueued in the transaction that causes it, run at least once by `firstbell work`.

A job may run twice, when a process dies between its work and the note that it is done: handlers end in the same state.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import structlog
from asyncpg.exceptions import InterfaceError, PostgresError
from pgqueuer import PgQueuer
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Job as QueuedJob
from pgqueuer.models import Schedule as DueSchedule

from firstbell.kernel.bus import Bus
from firstbell.kernel.clock import Clock, Ids
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.metrics import JOB_SECONDS, JOBS, JOBS_WAITING
from firstbell.settings import Settings

log = structlog.get_logger("firstbell.jobs")

RETRIES_MAX = 10
"""With pauses of 2 s that double up to 5 minutes, a job outlives a quarter of an hour without its engine."""

PAYLOAD_BYTES_MAX = 64_000
"""A payload names rows; what is larger belongs in a table."""

COUNT_SECONDS = 15
"""How often the queue is counted for the metrics: as often as Prometheus asks by default."""

_FIRST_PAUSE = timedelta(seconds=2)
_ENQUEUE = QueryQueueBuilder().build_enqueue_query("skip")


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
    await tx.fetch(_ENQUEUE, [0], [job_name(type(payload))], [data], [timedelta(seconds=delay_s)], [once], [None])


class Runner:
    """Runs the jobs and schedules of this process until it is told to stop, across lost connections."""

    def __init__(self, work: Work, jobs: Sequence[Job[Any]], schedules: Sequence[Schedule]) -> None:
        self._work = work
        self._jobs = jobs
        self._schedules = schedules
        self._stopping = asyncio.Event()
        self._queuer: PgQueuer | None = None

    def stop(self) -> None:
        """Take no further job; `run` returns when those that run are done."""
        self._stopping.set()
        if self._queuer is not None:
            self._queuer.shutdown.set()

    async def run(self) -> None:
        """Run until `stop`. Without the database it waits and tries again."""
        counting = asyncio.create_task(self._count_waiting())
        while not self._stopping.is_set():
            try:
                await self._run_on_one_connection()
            except Exception as error:  # whatever it was, waiting jobs are safe in their table
                log.warning("jobs interrupted", reason=str(error) or type(error).__name__)
            await self._pause(self._work.settings.jobs_retry_seconds)
        await counting

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _count_waiting(self) -> None:
        seen: set[tuple[str, str]] = set()
        while not self._stopping.is_set():
            with suppress(OSError, TimeoutError, PostgresError, InterfaceError):
                async with self._work.pool.begin(reading_only=True) as tx:
                    counts = {(line.name, line.state): line.count for line in await list_queue(tx)}
                seen |= counts.keys()
                for name, state in seen:
                    JOBS_WAITING.labels(name, state).set(counts.get((name, state), 0))
            await self._pause(COUNT_SECONDS)

    async def _run_on_one_connection(self) -> None:
        connection = await asyncpg.connect(self._work.settings.database_listen_url, timeout=10)
        try:
            queuer = self._queuer = self._registered(connection)
            connection.add_termination_listener(lambda _: queuer.shutdown.set())
            log.info("jobs running", kinds=len(self._jobs), schedules=len(self._schedules))
            await queuer.run(
                batch_size=self._work.settings.jobs_max,
                max_concurrent_tasks=self._work.settings.jobs_max * 2,
                shutdown_on_listener_failure=True,
            )
        finally:
            self._queuer = None
            await connection.close(timeout=5)

    def _registered(self, connection: asyncpg.Connection) -> PgQueuer:
        queuer = PgQueuer.from_asyncpg_connection(connection)
        for job in self._jobs:
            queuer.entrypoint(job_name(job.payload), on_failure="hold", executor_factory=_with_retries)(
                self._handler(job)
            )
        for schedule in self._schedules:
            queuer.schedule(schedule.name, schedule.cron)(self._scheduled(schedule))
        return queuer

    def _handler(self, job: Job[Any]) -> Callable[[QueuedJob], Awaitable[None]]:
        name = job_name(job.payload)

        async def handle(queued: QueuedJob) -> None:
            payload = msgspec.json.decode(queued.payload or b"", type=job.payload)
            await self._measured(name, job.run(self._work, payload), job=int(queued.id), attempt=queued.attempts)

        return handle

    def _scheduled(self, schedule: Schedule) -> Callable[[DueSchedule], Awaitable[None]]:
        async def handle(_: DueSchedule) -> None:
            await self._measured(schedule.name, schedule.run(self._work))

        return handle

    @staticmethod
    async def _measured(name: str, running: Awaitable[None], **facts: object) -> None:
        began = time.perf_counter()
        outcome = "failed"
        try:
            await running
            outcome = "done"
        except Exception:
            log.exception("job failed", name=name, **facts)
            raise
        finally:
            seconds = time.perf_counter() - began
            JOBS.labels(name, outcome).inc()
            JOB_SECONDS.labels(name).observe(seconds)
            log.info("job", name=name, outcome=outcome, ms=round(seconds * 1000, 2), **facts)


def _with_retries(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
    return DatabaseRetryEntrypointExecutor(parameters=parameters, max_attempts=RETRIES_MAX, initial_delay=_FIRST_PAUSE)


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
