"""PostgreSQL: the pool, and the one transaction that a request or a job may have.

A transaction opens at its first statement and carries the schools that row security lets it see. Application
code never commits: whoever made the transaction does, before anything is answered. Where a statement needs nothing
before or after it, it is a transaction by itself.
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

    async def analyze(self) -> None:
        """Have the planner look at the tables of the schools, after many rows came.

        By itself it does so within a minute; until then it takes full tables for small ones, and a page may take
        seconds. For roles that may maintain them. What is small is left alone: of a table that nobody looked at it
        supposes ten blocks, and plans for one that is known to be empty are bad ones as soon as it fills.
        """
        async with self.begin() as tx:
            tables = await tx.fetch(
                """
                SELECT oid::regclass::text FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                  AND has_table_privilege(oid, 'MAINTAIN') AND pg_relation_size(oid) > 10 * 8192
                """
            )
            # Quoted by regclass; a name cannot be a parameter.
            if tables:
                await tx.execute(f"ANALYZE {', '.join(name for (name,) in tables)}")


class PartFailedError(Exception):
    """A part of what was asked cannot be had now; its name is the argument."""


class Transaction:
    """At most one per request or job. Statements are counted, so that budgets can be held by tests."""

    __slots__ = (
        "_connection",
        "_connections",
        "_hints",
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
        self.after_commit: list[Any] = []
        self.statements = 0

    def scope(self, readable: Sequence[UUID], writable: UUID | None, *, reading_only: bool) -> None:
        """Set the schools before the first statement.

        Raises:
            RuntimeError: a statement has run already.
        """
        if self._connection is not None:
            raise RuntimeError("the schools of a transaction are set before its first statement")
        self._readable, self._writable, self._reading_only = tuple(readable), writable, reading_only

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
        rows: list[Row] = await self._ask("fetch", statement, parameters)
        return rows

    async def fetchrow(self, statement: str, *parameters: Any) -> Row | None:
        """The first row, or None."""
        row: Row | None = await self._ask("fetchrow", statement, parameters)
        return row

    async def fetchval(self, statement: str, *parameters: Any) -> Any:
        """The first value of the first row, or None."""
        return await self._ask("fetchval", statement, parameters)

    async def change_at_once(self, school_id: UUID, statement: str, *parameters: Any) -> Row | None:
        """Change rows of one school by a transaction that is this statement alone; the first row that it returns.

        It is committed when this returns, whatever becomes of the request. Nobody waits for the disk: a crash may undo
        the last half second of such changes.
        """
        own = _array((school_id,))
        alone = _changing(statement, len(parameters))
        row: Row | None = await self._ask_alone("fetchrow", alone, (*parameters, own, own[1:-1]))
        return row

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
        connection = None if self._reads_apart else await self.begun()
        if connection is not None:
            await connection.execute("SAVEPOINT part")
        try:
            yield
        except PostgresError as error:
            if connection is not None:
                await connection.execute("ROLLBACK TO SAVEPOINT part")
            log.exception("part failed", part=part, reason=str(error))
            raise PartFailedError(part) from error
        if connection is not None:
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

    @property
    def _reads_apart(self) -> bool:
        return self._reading_only and self._connection is None

    async def _ask(self, how: str, statement: str, parameters: tuple[Any, ...]) -> Any:
        """Run a statement that answers with rows; who only reads needs no transaction around it.

        In READ COMMITTED each statement sees what is there when it begins, in a transaction or not: leaving out BEGIN
        and COMMIT saves a reading page a round trip, and an idle transaction.
        """
        if self._reads_apart:
            alone = _reading(statement, len(parameters))
            return await self._ask_alone(how, alone, (*parameters, _array(self._readable)))
        self.statements += 1
        return await getattr(self._connection or await self._begin(), how)(statement, *parameters)

    async def _ask_alone(self, how: str, statement: str, parameters: tuple[Any, ...]) -> Any:
        """Run a statement that sets its schools itself, on a connection that is nobody's again after it."""
        self.statements += 1
        connection = await self._connections.acquire()
        try:
            return await getattr(connection, how)(statement, *parameters)
        except PostgresError:
            raise
        except BaseException:
            connection.terminate()  # given up while it ran: nobody else may get its answer
            raise
        finally:
            self._connections.release(connection)

    async def _begin(self) -> asyncpg.Connection:
        connection = await self._connections.acquire()
        mode = "BEGIN READ ONLY; " if self._reading_only else "BEGIN; "
        try:
            await connection.execute(mode + self._scope_statement())
        except BaseException:
            connection.terminate()
            self._connections.release(connection)
            raise
        self._connection = connection
        return connection

    def _scope_statement(self) -> str:
        # One round trip with BEGIN.
        own = _array(() if self._writable is None else (self._writable,))[1:-1]
        return (
            f"SET LOCAL firstbell.readable_schools = '{_array(self._readable)}'; "
            f"SET LOCAL firstbell.writable_school = '{own}'"
        )

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.release(connection)


@lru_cache(1_000)
def _array(schools: tuple[UUID, ...]) -> str:
    # UUID objects print as hexadecimal digits and dashes only.
    return f"{{{','.join(str(UUID(int=school.int)) for school in schools)}}}"


@lru_cache(1_000)
def _reading(statement: str, parameters: int) -> str:
    """`statement`, which reads, with one parameter more: the schools that it may read.

    They are set by the outer side of a nested loop, of which the inner one is the statement: it runs after that, since
    OFFSET 0 keeps the two apart for the planner. If it ever ran before, it would read nothing.
    """
    return "".join(
        (
            "SELECT answer.* FROM set_config('firstbell.readable_schools', $",
            str(parameters + 1),
            ", true) AS scope (schools) CROSS JOIN LATERAL (SELECT * FROM (",
            statement,
            "\n) AS asked WHERE scope.schools IS NOT NULL OFFSET 0) AS answer",
        )
    )


@lru_cache(1_000)
def _changing(statement: str, parameters: int) -> str:
    """`statement`, which changes rows and returns some, with two parameters more: the school to read and to write.

    As in `_reading` the schools are set on the outer side; what is changed WITH a query waits until that asks for it.
    """
    return "".join(
        (
            "WITH asked AS (",
            statement,
            "\n) SELECT answer.* FROM (SELECT set_config('firstbell.readable_schools', $",
            str(parameters + 1),
            ", true) || set_config('firstbell.writable_school', $",
            str(parameters + 2),
            ", true) || set_config('synchronous_commit', 'off', true) OFFSET 0) AS scope (schools)"
            " CROSS JOIN LATERAL (SELECT * FROM asked WHERE scope.schools IS NOT NULL OFFSET 0) AS answer",
        )
    )
