"""The connections to the database are few, shared in turn, and never handed over half used."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest

from firstbell.kernel.connections import AWAY, Connections
from firstbell.kernel.db import Pool
from tests.conftest import Installation

ENDED = 50
END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'firstbell_app'"


@asynccontextmanager
async def opened(installation: Installation, most: int) -> AsyncIterator[Connections]:
    connections = Connections(installation.database_url("firstbell_app"), most=most, statement_timeout_ms=5_000)
    yield connections
    await connections.close()


def test_more_who_ask_than_connections_are_served_in_turn(installation: Installation) -> None:
    async def play() -> tuple[list[int], set[int]]:
        order: list[int] = []
        backends: set[int] = set()

        async def ask(number: int) -> None:
            connection = await connections.acquire()
            backends.add(connection.get_server_pid())
            await connection.execute("SELECT 1")
            order.append(number)
            connections.release(connection)

        async with opened(installation, 1) as connections:
            await asyncio.gather(*(ask(number) for number in range(20)))
        return order, backends

    order, backends = asyncio.run(play())
    assert order == sorted(order)
    assert len(backends) == 1


def test_a_connection_that_is_still_in_a_transaction_is_not_handed_over(installation: Installation) -> None:
    async def play() -> list[bool]:
        states = []
        async with opened(installation, 1) as connections:
            for statement in ("BEGIN", "SELECT 1"):
                connection = await connections.acquire()
                states.append(connection.is_in_transaction())
                await connection.execute(statement)
                connections.release(connection)
        return states

    assert asyncio.run(play()) == [False, False]


def test_who_gives_up_waiting_takes_nobodys_turn(installation: Installation) -> None:
    async def play() -> bool:
        async with opened(installation, 1) as connections:
            held = await connections.acquire()
            impatient, patient = (asyncio.create_task(connections.acquire()) for _ in range(2))
            await asyncio.sleep(0)
            impatient.cancel()
            connections.release(held)
            connection = await asyncio.wait_for(patient, 30)
            connections.release(connection)
            return impatient.cancelled()

    assert asyncio.run(play())


def test_a_connection_that_the_server_ended_is_replaced(installation: Installation) -> None:
    async def play() -> int:
        async with opened(installation, 1) as connections:
            first = await connections.acquire()
            pid = first.get_server_pid()
            connections.release(first)
            ended = asyncio.Event()
            first.add_termination_listener(lambda _: ended.set())
            await asyncio.to_thread(installation.sql, "SELECT pg_terminate_backend($1)", pid)
            await asyncio.wait_for(ended.wait(), 30)
            second = await connections.acquire()
            answer: int = await second.fetchval("SELECT 1")
            connections.release(second)
            return answer

    assert asyncio.run(play()) == 1


def test_a_server_that_ends_connections_at_any_moment_is_known_to_be_away(installation: Installation) -> None:
    async def play() -> tuple[int, list[Exception]]:
        pool = await Pool.open(
            installation.database_url("firstbell_app"), connections_max=4, statement_timeout_ms=5_000
        )
        answered, errors = 0, list[Exception]()
        is_over = asyncio.Event()

        async def ask(*, reading_only: bool) -> None:
            nonlocal answered
            while not is_over.is_set():
                try:
                    async with pool.begin(reading_only=reading_only) as tx:
                        await tx.fetchval("SELECT 1")
                        answered += await tx.fetchval("SELECT 1")
                except Exception as error:
                    errors.append(error)

        asking = [asyncio.create_task(ask(reading_only=bool(number % 2))) for number in range(8)]
        for _ in range(ENDED):
            await asyncio.to_thread(installation.sql, END_ALL)
        is_over.set()
        await asyncio.gather(*asking)
        await pool.close()
        return answered, errors

    answered, errors = asyncio.run(play())
    assert answered > ENDED
    assert len(errors) > ENDED
    assert [error for error in errors if not isinstance(error, AWAY)] == []


def test_a_server_whose_socket_is_not_there_is_known_to_be_away(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        asyncio.run(Connections(f"postgresql://?host={tmp_path}", most=1, statement_timeout_ms=5_000).acquire())


def test_who_reads_after_somebody_else_reads_in_a_transaction_of_their_own(installation: Installation) -> None:
    async def play() -> list[datetime]:
        pool = await Pool.open(
            installation.database_url("firstbell_app"), connections_max=1, statement_timeout_ms=5_000
        )
        began = []
        for _ in range(3):
            async with pool.begin(reading_only=True) as tx:
                began.append(await tx.fetchval("SELECT transaction_timestamp()"))
        await pool.close()
        return began

    assert len(set(asyncio.run(play()))) == 3


def test_who_only_reads_holds_no_connection_between_statements(installation: Installation) -> None:
    async def play() -> tuple[int, int]:
        async with opened(installation, 1) as connections:
            pool = Pool(connections, lambda subject: None)
            async with pool.begin(reading_only=True) as tx, pool.begin() as other:
                return await tx.fetchval("SELECT 1"), await other.fetchval("SELECT 2")

    assert asyncio.run(play()) == (1, 2)


def test_the_schools_of_who_only_reads_hold_for_that_statement_alone(installation: Installation) -> None:
    school, asked = uuid4(), "SELECT current_setting('firstbell.readable_schools', true)"

    async def play() -> tuple[str, str | None]:
        async with opened(installation, 1) as connections:
            pool = Pool(connections, lambda subject: None)
            async with pool.begin([school], reading_only=True) as tx:
                during = await tx.fetchval(asked)
            connection = await connections.acquire()
            after = await connection.fetchval(asked)
            connections.release(connection)
            return during, after

    assert asyncio.run(play()) == (f"{{{school}}}", "")


def test_what_is_changed_at_once_sets_its_school_and_that_nobody_waits_for_itself_alone(
    installation: Installation,
) -> None:
    school = uuid4()
    asked = (
        "SELECT current_setting('firstbell.readable_schools', true),"
        " current_setting('firstbell.writable_school', true), current_setting('synchronous_commit')"
    )

    async def play() -> tuple[tuple[str, ...], tuple[str, ...]]:
        async with opened(installation, 1) as connections:
            tx = Pool(connections, lambda subject: None).transaction()
            during = await tx.change_at_once(school, asked)
            connection = await connections.acquire()
            after = await connection.fetchrow(asked)
            connections.release(connection)
            assert during is not None and after is not None
            return tuple(during), tuple(after)

    assert asyncio.run(play()) == ((f"{{{school}}}", str(school), "off"), ("", "", "on"))


def test_a_statement_that_is_given_up_leaves_its_connection_to_nobody(installation: Installation) -> None:
    async def play() -> list[int]:
        async with opened(installation, 1) as connections:
            pool = Pool(connections, lambda subject: None)
            pids = []
            async with pool.begin(reading_only=True) as tx:
                pids.append(await tx.fetchval("SELECT pg_backend_pid()"))
                with suppress(TimeoutError):
                    await asyncio.wait_for(tx.fetchval("SELECT pg_sleep(3)"), 0.1)
                pids.append(await tx.fetchval("SELECT pg_backend_pid()"))
            return pids

    before, after = asyncio.run(play())
    assert before != after


def test_a_backend_that_hangs_is_given_up_and_replaced(installation: Installation) -> None:
    async def play() -> int:
        async with opened(installation, 1) as connections:
            pool = Pool(connections, lambda subject: None)
            hanging = pool.transaction()
            pid = (await hanging.begun()).get_server_pid()
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.wait_for(hanging.roll_back(within_s=0.1), 30)
                async with pool.begin() as tx:
                    return int(await tx.fetchval("SELECT 1"))
            finally:
                os.kill(pid, signal.SIGCONT)

    assert asyncio.run(play()) == 1
