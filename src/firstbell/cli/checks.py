"""What a process makes sure of before it starts, so that it says in one sentence why it cannot."""

import os
import socket
import time

import asyncpg
from asyncpg.exceptions import PostgresError

from firstbell.kernel.errors import OperatorError
from firstbell.kernel.migrations import MigrationError, pending_migrations

CONNECT_SECONDS = 10


async def check_database(url: str) -> None:
    """Make sure that the database answers and has the schema of this version.

    Raises:
        OperatorError: it does not answer.
        MigrationError: it lacks migrations.
    """
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, PostgresError) as error:
        reason = str(error) or f"no answer within {CONNECT_SECONDS} s"
        raise OperatorError(f"The database cannot be reached: {reason}.") from error
    try:
        pending = await pending_migrations(connection)
    finally:
        await connection.close()
    if pending:
        raise MigrationError(f"The database lacks {', '.join(pending)}: run `firstbell migrate` first.")


def wait_for_port(host: str, port: int, seconds: float) -> None:
    """Wait at most `seconds` until the port is free.

    Raises:
        OperatorError: another program keeps it, or we may not have it.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            _try_port(host, port)
        except OSError as error:
            if time.monotonic() >= deadline or isinstance(error, PermissionError):
                reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
                raise OperatorError(
                    f"Port {port} on {host} cannot be used ({reason}); choose another with --port."
                ) from None
            time.sleep(0.1)
        else:
            return


def _try_port(host: str, port: int) -> None:
    # Granian shares a port with any server of the same user that shares too; this socket shares with nobody.
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
