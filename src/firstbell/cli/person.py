"""`firstbell person`: what an operator may do for one person."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from firstbell.cli import app, operator_settings
from firstbell.cli.school import find_school, jobs_pool
from firstbell.domains.people.actions import Accounts
from firstbell.domains.people.model import Credentials, School, sign_in_key
from firstbell.domains.people.queries import find_credentials
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
