"""`firstbell person`: what an operator may do for one person."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, TypeVar

import typer

from firstbell.cli import app, operator_settings
from firstbell.cli.school import find_school, jobs_pool
from firstbell.domains.people.actions import Accounts
from firstbell.domains.people.model import Credentials, School, sign_in_key
from firstbell.domains.people.queries import change_operator, find_credentials
from firstbell.kernel.changes import record_change
from firstbell.kernel.clock import Ids, clock_from
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.passwords import hash_password
from firstbell.settings import Settings

PASSWORD_LETTERS_MAX = 1_000

_Result = TypeVar("_Result")
SignInName = Annotated[str, typer.Argument(help="The name with which this person signs in.")]
Slug = Annotated[str | None, typer.Option("--school", help="Slug of the school, when there are several.")]

person_app = typer.Typer(no_args_is_help=True, help="What an operator may do for one person.")
app.add_typer(person_app, name="person")


@person_app.command()
def password(
    sign_in_name: SignInName,
    school: Slug = None,
    generate: Annotated[bool, typer.Option("--generate", help="Make one and print it, this once.")] = False,
) -> None:
    """Set a password, and sign the person out everywhere. Asks for it, or reads one line from standard input."""
    settings = operator_settings()
    accounts = _accounts(settings)
    chosen = accounts.new_password() if generate else _asked(settings)
    hashed = hash_password(chosen)

    async def give(tx: Transaction, at: School, person: Credentials) -> None:
        await accounts.set_password(tx, at.id, person.account_id, hashed)

    asyncio.run(_with_person(settings, sign_in_name, school, give))
    typer.echo(f"{sign_in_name}: {chosen}" if generate else f"{sign_in_name} has a new password.")


@person_app.command()
def code(sign_in_name: SignInName, school: Slug = None) -> None:
    """Print a new activation code, by which the holder of an account links this person to it, once."""
    settings = operator_settings()
    accounts = _accounts(settings)

    async def make(tx: Transaction, at: School, person: Credentials) -> str:
        return await accounts.create_activation_code(tx, at.id, person.person_id)

    typer.echo(f"{sign_in_name}: {asyncio.run(_with_person(settings, sign_in_name, school, make))}")


@person_app.command()
def operator(
    sign_in_name: SignInName,
    school: Slug = None,
    no_more: Annotated[bool, typer.Option("--no-more", help="Take it away again.")] = False,
) -> None:
    """Let a person look after the installation: all its schools, as numbers. Needs the URL of the owner."""
    settings = operator_settings()
    if not settings.database_owner_url:
        raise OperatorError(
            "FIRSTBELL_DATABASE_OWNER_URL is empty, and only the owner of the tables may name operators."
        )
    as_owner = replace(settings, database_jobs_url=settings.database_owner_url)

    async def name(tx: Transaction, at: School, person: Credentials) -> None:
        await change_operator(tx, person.account_id, is_operator=not no_more)
        await record_change(tx, at.id, "account", [person.account_id])

    asyncio.run(_with_person(as_owner, sign_in_name, school, name))
    typer.echo(f"{sign_in_name} is {'no longer ' if no_more else 'now '}an operator of this installation.")


def _accounts(settings: Settings) -> Accounts:
    clock = clock_from(settings.clock)
    return Accounts(settings, clock, Ids(clock))


def _asked(settings: Settings) -> str:
    if sys.stdin.isatty():
        chosen: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        chosen = sys.stdin.readline(PASSWORD_LETTERS_MAX + 2).rstrip("\r\n")
    if not settings.password_letters_min <= len(chosen) <= PASSWORD_LETTERS_MAX:
        raise OperatorError(
            f"A password has {settings.password_letters_min} to {PASSWORD_LETTERS_MAX:,} letters and signs."
        )
    return chosen


async def _with_person(
    settings: Settings,
    sign_in_name: str,
    slug: str | None,
    act: Callable[[Transaction, School, Credentials], Awaitable[_Result]],
) -> _Result:
    async with jobs_pool(settings) as pool:
        school = await find_school(pool, slug)
        async with pool.begin((school.id,), school.id) as tx:
            person = await find_credentials(tx, school.id, sign_in_key(sign_in_name))
            if person is None:
                raise OperatorError(f"Nobody signs in as {sign_in_name!r} at {school.name}.")
            return await act(tx, school, person)
