"""The bounded connections of one process to one database.

asyncpg's own pool makes a task for each release, a tenth of what a page costs; ours hands a connection over by a list.
A transaction that only read, or of which nothing need last, is answered at once, and its COMMIT travels with the next
BEGIN: a round trip less for each page.
"""

import asyncio
from collections import deque
from contextlib import suppress

import asyncpg
import msgspec
from asyncpg.exceptions import InterfaceError, PostgresError

RESTING_S = 0.02
"""How long a connection may rest before its COMMIT: it holds no snapshot, but migrations wait for its tables."""

END_TIMEOUT_S = 5.0
"""A database that takes longer to end a transaction is gone, and the connection with it."""


class Connections:
    """At most `most` connections, opened when they are wanted, handed out in the order of asking."""

    def __init__(self, url: str, *, most: int, statement_timeout_ms: int, plans_once: bool = False) -> None:
        """`plans_once`: a statement is planned at its first use on a connection, not for each set of parameters."""
        self._url = url
        self._most = most
        self._settings = {"statement_timeout": str(statement_timeout_ms), "jit": "off"}
        if plans_once:
            self._settings["plan_cache_mode"] = "force_generic_plan"
        self._idle: list[asyncpg.Connection] = []
        self._open = 0
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._is_closing = False
        self._all_back = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def acquire(self) -> asyncpg.Connection:
        """A connection in no transaction, or in one that rests and ends with a COMMIT before the next BEGIN.

        Waits for one when all are taken.

        Raises:
            OSError, asyncpg.PostgresError: the database cannot be reached.
        """
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._open -= 1
        if self._open == self._most:
            return await self._turn() or await self._connect()
        self._open += 1
        return await self._connect()

    def release(self, connection: asyncpg.Connection, *, may_rest: bool = False) -> None:
        """Give a connection back. One that is still in a transaction, unless that may rest, is ended."""
        is_open = not connection.is_closed() and connection.is_in_transaction()
        is_fit = not (self._is_closing or connection.is_closed() or (is_open and not may_rest))
        if not is_fit:
            connection.terminate()
        elif is_open and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(RESTING_S, self._end_resting)
        self._hand_on(connection if is_fit else None)

    async def close(self) -> None:
        """Wait for connections that are out, and close all."""
        self._is_closing = True
        self._all_back.clear()
        if self._timer is not None:
            self._timer.cancel()
        while self._idle:
            self._open -= 1
            with suppress(PostgresError, OSError):
                await self._idle.pop().close()
        if self._open:
            await self._all_back.wait()

    def _end_resting(self) -> None:
        """Commit what rests, so that nothing waits for it."""
        self._timer = None
        resting = [connection for connection in self._idle if connection.is_in_transaction()]
        self._idle = [connection for connection in self._idle if not connection.is_in_transaction()]
        for connection in resting:
            task = asyncio.get_running_loop().create_task(self._commit(connection))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _commit(self, connection: asyncpg.Connection) -> None:
        try:
            with suppress(PostgresError, InterfaceError, OSError):
                await connection.execute("COMMIT", timeout=END_TIMEOUT_S)
        finally:
            self.release(connection)

    async def _connect(self) -> asyncpg.Connection:
        """Open one in a place that is counted already."""
        try:
            connection: asyncpg.Connection = await asyncpg.connect(self._url, server_settings=self._settings)
            await connection.set_type_codec(
                "jsonb",
                schema="pg_catalog",
                format="binary",
                encoder=lambda value: b"\x01" + msgspec.json.encode(value),
                decoder=lambda data: msgspec.json.decode(data[1:]),
            )
        except BaseException:
            self._hand_on(None)
            raise
        return connection

    async def _turn(self) -> asyncpg.Connection | None:
        """Wait for a connection, or None for the place of one that ended."""
        turn: asyncio.Future[asyncpg.Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._hand_on(turn.result())
            raise

    def _hand_on(self, connection: asyncpg.Connection | None) -> None:
        """Give a connection, or the place of one that ended, to who waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        if connection is not None:
            self._idle.append(connection)
            return
        self._open -= 1
        if self._open == 0:
            self._all_back.set()
