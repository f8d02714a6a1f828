"""`firstbell person`: what an operator may do for one person."""

import asyncio
import secrets
import sys
from typing import Annotated

import typer

from firstbell.cli import app, operator_settings
from firstbell.cli.school import find_school, jobs_pool
from firstbell.domains.people import queries as people
from firstbell.kernel.changes import record_change
from firstbell.kernel.clock import clock_from
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.passwords import hash_password
from firstbell.settings import Settings

GENERATED_BYTES = 9
"""12 characters that nobody guesses in the life of a school and that still fit on a note."""
PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX = 8, 1_000

person_app = typer.Typer(no_args_is_help=True, help="What an operator may do for one person.")
app.add_typer(person_app, name="person")


@person_app.callback()
def person() -> None:
    """Keep `password` a command of its own, also while it is the only one."""


@person_app.command()
def password(
    sign_in_name: Annotated[str, typer.Argument(help="The name with which this person signs in.")],
    school: Annotated[str | None, typer.Option(help="Slug of the school, when there are several.")] = None,
    generate: Annotated[bool, typer.Option("--generate", help="Make one and print it, this once.")] = False,
) -> None:
    """Set a password, and sign the person out everywhere. Asks for it, or reads one line from standard input."""
    settings = operator_settings()
    chosen = secrets.token_urlsafe(GENERATED_BYTES) if generate else _asked()
    asyncio.run(_set_password(settings, sign_in_name, school, hash_password(chosen)))
    typer.echo(f"{sign_in_name}: {chosen}" if generate else f"{sign_in_name} has a new password.")


def _asked() -> str:
    if sys.stdin.isatty():
        chosen: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        chosen = sys.stdin.readline(PASSWORD_CHARS_MAX + 2).rstrip("\r\n")
    if not PASSWORD_CHARS_MIN <= len(chosen) <= PASSWORD_CHARS_MAX:
        raise OperatorError(f"A password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX:,} characters.")
    return chosen


async def _set_password(settings: Settings, sign_in_name: str, slug: str | None, password_hash: str) -> None:
    async with jobs_pool(settings) as pool:
        school = await find_school(pool, slug)
        async with pool.begin((school.id,), school.id) as tx:
            person_id = await people.set_password(tx, school.id, sign_in_name.strip().lower(), password_hash)
            if person_id is None:
                raise OperatorError(f"Nobody signs in as {sign_in_name!r} at {school.name}.")
            ended = await people.end_sessions_of(tx, school.id, person_id, now=clock_from(settings.clock).now())
            if ended:
                await record_change(tx, school.id, "session", ended)
