"""Runs jobs and schedules on PgQueuer: retries with growing pauses, and holds what failed every time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import structlog
from asyncpg.exceptions import PostgresError
from pgqueuer import PgQueuer
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Job as QueuedJob
from pgqueuer.models import Schedule as DueSchedule
from pgqueuer.types import QueueExecutionMode

from firstbell.kernel.connections import AWAY
from firstbell.kernel.jobs import Job, Schedule, Work, job_name, list_queue
from firstbell.kernel.metrics import JOB_SECONDS, JOBS, JOBS_WAITING

log = structlog.get_logger("firstbell.jobs")

RETRIES_MAX = 10
"""With pauses of 2 s that double up to 5 minutes, a job outlives a quarter of an hour without its engine."""

COUNT_SECONDS = 15
"""How often the queue is counted for the metrics: as often as Prometheus asks by default."""

_FIRST_PAUSE = timedelta(seconds=2)


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

    async def run_now(self, name: str) -> None:
        """Do the work of one schedule now, whatever the time, and then that of all jobs in the queue.

        Raises:
            KeyError: no schedule has this name.
        """
        await {schedule.name: schedule.run for schedule in self._schedules}[name](self._work)
        await self._run_on_one_connection(QueueExecutionMode.drain)

    @property
    def schedule_names(self) -> list[str]:
        """The names of all schedules, in the order of the night."""
        return [schedule.name for schedule in self._schedules]

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _count_waiting(self) -> None:
        seen: set[tuple[str, str]] = set()
        while not self._stopping.is_set():
            with suppress(*AWAY, OSError, PostgresError):
                async with self._work.pool.begin(reading_only=True) as tx:
                    counts = {(line.name, line.state): line.count for line in await list_queue(tx)}
                seen |= counts.keys()
                for name, state in seen:
                    JOBS_WAITING.labels(name, state).set(counts.get((name, state), 0))
            await self._pause(COUNT_SECONDS)

    async def _run_on_one_connection(self, mode: QueueExecutionMode = QueueExecutionMode.continuous) -> None:
        connection = await asyncpg.connect(self._work.settings.database_listen_url, timeout=10)
        try:
            queuer = self._queuer = self._registered(connection)
            connection.add_termination_listener(lambda _: queuer.shutdown.set())
            log.info("jobs running", kinds=len(self._jobs), schedules=len(self._schedules))
            await queuer.run(
                batch_size=self._work.settings.jobs_max,
                mode=mode,
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
