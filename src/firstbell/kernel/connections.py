"""The bounded connections of one process to one database.

asyncpg's own pool makes a task for each release, a tenth of what a page costs; ours hands a connection over by a list.
"""

import asyncio
from collections import deque
from contextlib import suppress

import asyncpg
import msgspec
from asyncpg.exceptions import (
    InsufficientResourcesError,
    InterfaceError,
    InternalClientError,
    OperatorInterventionError,
    PostgresConnectionError,
    PostgresError,
)

AWAY = (
    ConnectionError,
    InterfaceError,
    InternalClientError,
    InsufficientResourcesError,
    OperatorInterventionError,
    PostgresConnectionError,
)
"""How a database says, or shows, that it cannot answer now; a statement that took too long among them.

asyncpg calls it an error of the client when a statement comes between the server's last word and the end of the
connection.
"""
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

    async def acquire(self) -> asyncpg.Connection:
        """A connection in no transaction; waits for one when all are taken.

        Raises:
            ConnectionError, asyncpg.PostgresError: the database cannot be reached, or refuses.
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

    def release(self, connection: asyncpg.Connection) -> None:
        """Give a connection back. One that is still in a transaction is ended."""
        is_fit = not (self._is_closing or connection.is_closed() or connection.is_in_transaction())
        if not is_fit:
            connection.terminate()
        self._hand_on(connection if is_fit else None)

    async def close(self) -> None:
        """Wait for connections that are out, and close all."""
        self._is_closing = True
        self._all_back.clear()
        while self._idle:
            self._open -= 1
            with suppress(PostgresError, OSError):
                await self._idle.pop().close()
        if self._open:
            await self._all_back.wait()

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
        except OSError as error:  # also a socket that is not there, a name that nobody knows, no answer in time
            self._hand_on(None)
            raise ConnectionError(str(error)) from error
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
