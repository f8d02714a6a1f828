"""Background work: begun by a commit, done at least once, tried again, and held where somebody sees it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest
from asyncpg.exceptions import InsufficientPrivilegeError

from firstbell.kernel.bus import Bus
from firstbell.kernel.clock import Clock, Ids
from firstbell.kernel.db import Pool
from firstbell.kernel.jobs import Job, Payload, Schedule, Work, enqueue
from firstbell.kernel.runner import RETRIES_MAX, Runner
from firstbell.settings import read_settings
from tests.conftest import Installation

SCHOOL = uuid4()


class Greet(Payload, frozen=True, tag="greet"):
    name: str


@pytest.fixture(autouse=True)
def empty_queue(installation: Installation) -> None:
    installation.sql("DELETE FROM pgqueuer")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Pool]:
    pool = await Pool.open(url, connections_max=2, statement_timeout_ms=5_000)
    try:
        yield pool
    finally:
        await pool.close()


async def run_until(installation: Installation, job: Job[Greet], holds: Callable[[], Awaitable[bool]]) -> None:
    """Run `job` as `firstbell work` does, until something holds."""
    named = installation.environment()
    settings = replace(read_settings(named), jobs_retry_seconds=1)
    async with opened(settings.database_jobs_url) as pool:
        work = Work(pool, Clock(), Ids(Clock()), settings, Bus(settings.nats_url, "test"))
        runner = Runner(work, [job], [Schedule("never", "0 0 1 1 *", never)])
        running = asyncio.create_task(runner.run())
        try:
            async with asyncio.timeout(30):
                while not await holds():
                    await asyncio.sleep(0.05)
        finally:
            runner.stop()
            await running


async def never(_: Work) -> None:
    raise AssertionError


async def greet_from_the_web(installation: Installation, name: str, **options: str) -> None:
    """Enqueue as a request does: with the role of the web."""
    async with opened(installation.database_url("firstbell_app")) as pool, pool.begin() as tx:
        await enqueue(tx, Greet(school_id=SCHOOL, name=name), **options)  # type: ignore[arg-type]


async def held(installation: Installation) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(installation.database_url("firstbell_owner"))
    try:
        return await connection.fetch("SELECT status::text, attempts FROM pgqueuer")  # type: ignore[no-any-return]
    finally:
        await connection.close()


def test_a_job_of_a_committed_transaction_is_done_with_what_it_was_told(installation: Installation) -> None:
    greeted: list[tuple[UUID, str]] = []

    async def greet(_: Work, told: Greet) -> None:
        greeted.append((told.school_id, told.name))

    async def scene() -> None:
        await greet_from_the_web(installation, "Noor")
        await run_until(installation, Job(Greet, greet), lambda: done(greeted))
        assert await held(installation) == []

    asyncio.run(scene())
    assert greeted == [(SCHOOL, "Noor")]


async def done(things: list[tuple[UUID, str]]) -> bool:
    return bool(things)


def test_a_job_of_a_transaction_that_is_undone_never_was(installation: Installation) -> None:
    async def scene() -> None:
        async with opened(installation.database_url("firstbell_app")) as pool:
            tx = pool.transaction()
            await enqueue(tx, Greet(school_id=SCHOOL, name="Noor"))
            await tx.roll_back()
        assert await held(installation) == []

    asyncio.run(scene())


def test_of_the_jobs_that_wait_under_one_name_there_is_only_one(installation: Installation) -> None:
    async def scene() -> None:
        for _ in range(3):
            await greet_from_the_web(installation, "Noor", once="greet Noor")
        assert len(await held(installation)) == 1

    asyncio.run(scene())


def test_a_job_that_fails_is_tried_again_until_it_succeeds(installation: Installation) -> None:
    attempts: list[tuple[UUID, str]] = []

    async def greet(_: Work, told: Greet) -> None:
        attempts.append((told.school_id, told.name))
        if len(attempts) == 1:
            raise RuntimeError("not yet")

    async def both() -> bool:
        return len(attempts) > 1

    async def scene() -> None:
        await greet_from_the_web(installation, "Noor")
        await run_until(installation, Job(Greet, greet), both)
        assert await held(installation) == []

    asyncio.run(scene())
    assert len(attempts) == 2


def test_a_job_that_runs_when_work_is_told_to_end_is_finished_first(installation: Installation) -> None:
    finished: list[str] = []
    begun, may_finish = asyncio.Event(), asyncio.Event()

    async def greet(_: Work, told: Greet) -> None:
        begun.set()
        await may_finish.wait()
        finished.append(told.name)

    async def is_in_the_middle() -> bool:
        if begun.is_set():  # and told to end before it goes on
            asyncio.get_running_loop().call_later(0.5, may_finish.set)
        return begun.is_set()

    async def scene() -> None:
        await greet_from_the_web(installation, "Noor")
        await run_until(installation, Job(Greet, greet), is_in_the_middle)
        assert await held(installation) == []

    asyncio.run(scene())
    assert finished == ["Noor"]


def test_a_job_whose_process_was_killed_is_done_by_another(installation: Installation) -> None:
    greeted: list[tuple[UUID, str]] = []

    async def greet(_: Work, told: Greet) -> None:
        greeted.append((told.school_id, told.name))

    async def scene() -> None:
        await greet_from_the_web(installation, "Noor")
        # As a process leaves it that took it and was heard of last a minute ago.
        installation.sql(
            "UPDATE pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid(), "
            "heartbeat = now() - interval '1 minute'"
        )
        await run_until(installation, Job(Greet, greet), lambda: done(greeted))
        assert await held(installation) == []

    asyncio.run(scene())
    assert greeted == [(SCHOOL, "Noor")]


def test_a_job_that_always_fails_is_held_shown_and_released(installation: Installation) -> None:
    async def greet(_: Work, _told: Greet) -> None:
        raise RuntimeError("the choir is on holiday")

    async def is_held() -> bool:
        return [row["status"] for row in await held(installation)] == ["failed"]

    async def scene() -> None:
        await greet_from_the_web(installation, "Noor")
        connection = await asyncpg.connect(installation.database_url("firstbell_owner"))
        await connection.execute("UPDATE pgqueuer SET attempts = $1", RETRIES_MAX)
        await connection.close()
        await run_until(installation, Job(Greet, greet), is_held)

    asyncio.run(scene())
    shown = installation.run("work", "status").stdout
    assert "greet" in shown and "the choir is on holiday" in shown
    number = str(installation.sql("SELECT id FROM pgqueuer")[0]["id"])
    assert installation.run("work", "retry", number).stdout == "1 of 1 jobs will run again.\n"
    assert [tuple(row) for row in asyncio.run(held(installation))] == [("queued", 0)]


def test_the_web_may_hand_work_over_and_never_read_it(installation: Installation) -> None:
    async def scene() -> None:
        await greet_from_the_web(installation, "Noor")
        async with opened(installation.database_url("firstbell_app")) as pool:
            for statement in ("SELECT payload FROM pgqueuer", "DELETE FROM pgqueuer", "SELECT FROM pgqueuer_log"):
                with pytest.raises(InsufficientPrivilegeError):
                    async with pool.begin() as tx:
                        await tx.execute(statement)

    asyncio.run(scene())


def test_a_payload_is_small(installation: Installation) -> None:
    with pytest.raises(ValueError, match="payload of"):
        asyncio.run(greet_from_the_web(installation, "x" * 64_000))
