"""PostgreSQL: the pool, and the one transaction that a request or a job may have.

A transaction opens at its first statement and carries the schools that row security lets it see. Application
code never commits: whoever made the transaction does, before anything is answered.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from asyncpg.exceptions import PostgresError

from firstbell.kernel.connections import END_TIMEOUT_S, Connections

log = structlog.get_logger("firstbell.db")

Row = asyncpg.Record
Publish = Callable[[str], None]


class Pool:
    """The bounded connections of one process to one database under one role."""

    def __init__(self, connections: Connections, publish: Publish) -> None:
        self._connections = connections
        self._publish = publish

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        connections_max: int,
        statement_timeout_ms: int,
        plans_once: bool = False,
        publish: Publish = lambda subject: None,
    ) -> "Pool":
        """Connect to `url`, at most `connections_max` times; statements are cut off at the timeout.

        `plans_once` is for many small statements, of which planning is half the work; those of imports are planned for
        their sizes. `publish` puts the hints of a committed transaction on the bus.
        """
        connections = Connections(
            url, most=connections_max, statement_timeout_ms=statement_timeout_ms, plans_once=plans_once
        )
        connections.release(await connections.acquire())
        return cls(connections, publish)

    async def close(self) -> None:
        """Wait for transactions in flight, then close every connection."""
        await self._connections.close()

    def transaction(
        self, readable: Sequence[UUID] = (), writable: UUID | None = None, *, reading_only: bool = False
    ) -> "Transaction":
        """A transaction that has not begun; the caller ends it with `commit` or `roll_back`."""
        return Transaction(self._connections, readable, writable, reading_only=reading_only, publish=self._publish)

    @asynccontextmanager
    async def begin(
        self, readable: Sequence[UUID] = (), writable: UUID | None = None, *, reading_only: bool = False
    ) -> AsyncIterator["Transaction"]:
        """One transaction that commits at the end of the block and rolls back on an error."""
        transaction = self.transaction(readable, writable, reading_only=reading_only)
        try:
            yield transaction
        except BaseException:
            await transaction.roll_back()
            raise
        await transaction.commit()


class PartFailedError(Exception):
    """A part of what was asked cannot be had now; its name is the argument."""


class Transaction:
    """At most one per request or job. Statements are counted, so that budgets can be held by tests."""

    __slots__ = (
        "_connection",
        "_connections",
        "_hints",
        "_lasting",
        "_publish",
        "_readable",
        "_reading_only",
        "_writable",
        "after_commit",
        "statements",
    )

    def __init__(
        self,
        connections: Connections,
        readable: Sequence[UUID],
        writable: UUID | None,
        *,
        reading_only: bool,
        publish: Publish,
    ) -> None:
        self._connections = connections
        self._publish = publish
        self._hints: set[str] = set()
        self._connection: asyncpg.Connection | None = None
        self._readable = tuple(readable)
        self._writable = writable
        self._reading_only = reading_only
        self._lasting = True
        self.after_commit: list[Any] = []
        self.statements = 0

    def scope(
        self, readable: Sequence[UUID], writable: UUID | None, *, reading_only: bool, lasting: bool = True
    ) -> None:
        """Set the schools before the first statement.

        `lasting` False: nobody waits for the commit, and a crash may undo the last half second of such writes.

        Raises:
            RuntimeError: a statement has run already.
        """
        if self._connection is not None:
            raise RuntimeError("the schools of a transaction are set before its first statement")
        self._readable, self._writable, self._reading_only = tuple(readable), writable, reading_only
        self._lasting = lasting

    async def rescope(self, readable: Sequence[UUID], writable: UUID | None) -> None:
        """Change the schools in mid-transaction: only where a row names the school, such as a code."""
        connection = await self.begun()
        self._readable, self._writable = tuple(readable), writable
        await connection.execute(self._scope_statement())

    async def read_also(self, schools: Iterable[UUID]) -> None:
        """Read these schools too: only for the pages of a family."""
        self._readable = tuple({*self._readable, *schools})
        if self._connection is not None:
            await self._connection.execute(self._scope_statement())

    async def fetch(self, statement: str, *parameters: Any) -> list[Row]:
        """All rows."""
        connection = self._connection or await self._begin()
        self.statements += 1
        rows: list[Row] = await connection.fetch(statement, *parameters)
        return rows

    async def fetchrow(self, statement: str, *parameters: Any) -> Row | None:
        """The first row, or None."""
        connection = self._connection or await self._begin()
        self.statements += 1
        row: Row | None = await connection.fetchrow(statement, *parameters)
        return row

    async def fetchval(self, statement: str, *parameters: Any) -> Any:
        """The first value of the first row, or None."""
        connection = self._connection or await self._begin()
        self.statements += 1
        return await connection.fetchval(statement, *parameters)

    async def execute(self, statement: str, *parameters: Any) -> int:
        """Run a statement; the number of rows that it touched."""
        connection = self._connection or await self._begin()
        self.statements += 1
        tag: str = await connection.execute(statement, *parameters)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdecimal() else 0

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of `parameters`, in one round trip."""
        connection = self._connection or await self._begin()
        self.statements += 1
        await connection.executemany(statement, parameters)

    async def copy(self, table: str, columns: Sequence[str], records: Any) -> None:
        """COPY an iterable (or async iterable) of tuples into `table`."""
        connection = self._connection or await self._begin()
        self.statements += 1
        await connection.copy_records_to_table(table, columns=list(columns), records=records)

    @asynccontextmanager
    async def apart(self, part: str) -> AsyncIterator[None]:
        """Statements that may fail by themselves: what ran before them stays, and the page goes on without them.

        Raises:
            PartFailedError: one of them failed or took too long.
        """
        connection = self._connection or await self._begin()
        await connection.execute("SAVEPOINT part")
        try:
            yield
        except PostgresError as error:
            await connection.execute("ROLLBACK TO SAVEPOINT part")
            log.exception("part failed", part=part, reason=str(error))
            raise PartFailedError(part) from error
        await connection.execute("RELEASE SAVEPOINT part")

    def hint(self, subject: str) -> None:
        """Say on the bus, after the commit, that there is something new on `subject`."""
        self._hints.add(subject)

    @property
    def connection(self) -> asyncpg.Connection | None:
        """The connection under a begun transaction, for a library that speaks asyncpg."""
        return self._connection

    async def begun(self) -> asyncpg.Connection:
        """Begin now if it has not; the connection, for a library that speaks asyncpg."""
        return self._connection or await self._begin()

    async def commit(self) -> None:
        """Commit what ran, then run what waits for that. A transaction that never began costs nothing."""
        if self._connection is None:
            return
        if self._reading_only or not (self._lasting or self.after_commit or self._hints):
            self._release(may_rest=True)
        else:
            try:
                await self._connection.execute("COMMIT")
            finally:
                self._release()
        for callback in self.after_commit:
            callback()
        for subject in self._hints:
            self._publish(subject)

    async def let_go(self) -> None:
        """Give the connection back before work that must not hold one: bytes from a client, hashing, a call elsewhere.

        What was written stays. The next statement begins anew, under the same schools; what was read is asked again.
        """
        await self.commit()

    async def roll_back(self, within_s: float = END_TIMEOUT_S) -> None:
        """Forget everything that ran; a backend that does not answer `within_s` seconds is given up."""
        if self._connection is None:
            return
        try:
            if not self._connection.is_closed():
                with suppress(TimeoutError):
                    await self._connection.execute("ROLLBACK", timeout=within_s)
        finally:
            self._release()

    async def _begin(self) -> asyncpg.Connection:
        connection = await self._connections.acquire()
        mode = "COMMIT; " if connection.is_in_transaction() else ""
        mode += "BEGIN READ ONLY; " if self._reading_only else "BEGIN; "
        if not self._lasting:
            mode += "SET LOCAL synchronous_commit = off; "
        try:
            await connection.execute(mode + self._scope_statement())
        except BaseException:
            connection.terminate()
            self._connections.release(connection)
            raise
        self._connection = connection
        return connection

    def _scope_statement(self) -> str:
        return _scope_statement(self._readable, self._writable)

    def _release(self, *, may_rest: bool = False) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.release(connection, may_rest=may_rest)


@lru_cache(1_000)
def _scope_statement(readable: tuple[UUID, ...], writable: UUID | None) -> str:
    # One round trip with BEGIN. UUID objects print as hexadecimal digits and dashes only.
    schools = ",".join(str(UUID(int=school.int)) for school in readable)
    own = "" if writable is None else str(UUID(int=writable.int))
    return f"SET LOCAL firstbell.readable_schools = '{{{schools}}}'; SET LOCAL firstbell.writable_school = '{own}'"
