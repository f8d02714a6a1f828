"""Wires the background work together; only the command line imports it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from firstbell.domains.documents import jobs as documents
from firstbell.domains.people import jobs as people
from firstbell.kernel import housekeeping
from firstbell.kernel.bus import Bus
from firstbell.kernel.clock import Ids, clock_from
from firstbell.kernel.db import Pool
from firstbell.kernel.jobs import Work
from firstbell.kernel.logs import configure_logs
from firstbell.kernel.runner import Runner
from firstbell.settings import Settings

JOBS = (*people.JOBS, *documents.JOBS)
SCHEDULES = (*housekeeping.SCHEDULES, *people.SCHEDULES, *documents.SCHEDULES)


@asynccontextmanager
async def create_runner(settings: Settings) -> AsyncIterator[Runner]:
    """What runs the jobs and schedules of one process, with all that they need."""
    configure_logs(settings.log_level)
    clock = clock_from(settings.clock)
    bus = Bus(settings.nats_url, "work")
    pool = await Pool.open(
        settings.database_jobs_url,
        connections_max=settings.jobs_max,
        statement_timeout_ms=settings.database_jobs_statement_timeout_ms,
        publish=lambda subject: bus.publish(subject, b""),
    )
    await bus.start()
    try:
        yield Runner(Work(pool, clock, Ids(clock), settings, bus), jobs=JOBS, schedules=SCHEDULES)
    finally:
        await bus.stop()
        await pool.close()
