"""Statements on accounts: credentials, the persons below them, who runs the installation."""

from datetime import datetime
from uuid import UUID

from firstbell.domains.people.model import Credentials, Membership
from firstbell.kernel.db import Transaction


async def find_credentials(tx: Transaction, school_id: UUID, sign_in_key: str) -> Credentials | None:
    """Whose sign-in name this is in the school."""
    row = await tx.fetchrow(
        """
        SELECT person.id AS person_id, account.id AS account_id, account.password_hash
        FROM person JOIN account ON account.id = person.account_id
        WHERE person.school_id = $1 AND person.sign_in_key = $2 AND person.retired_at IS NULL
        """,
        school_id,
        sign_in_key,
    )
    return None if row is None else Credentials(**row)


async def list_memberships(tx: Transaction, account_id: UUID) -> list[Membership]:
    """Every person of the account in the schools of the cell."""
    rows = await tx.fetch("SELECT school_id, person_id FROM account_persons($1)", account_id)
    return [Membership(*row) for row in rows]


async def add_account(tx: Transaction, account_id: UUID) -> None:
    """An account with which nobody can sign in yet."""
    await tx.execute("INSERT INTO account (id) VALUES ($1)", account_id)


async def move_person(tx: Transaction, school_id: UUID, person_id: UUID, account_id: UUID) -> None:
    """Put a person under another account."""
    await tx.execute(
        "UPDATE person SET account_id = $3 WHERE school_id = $1 AND id = $2", school_id, person_id, account_id
    )


async def is_account_shared(tx: Transaction, account_id: UUID, school_id: UUID) -> bool:
    """True when the account reaches beyond the school: it has persons elsewhere, or runs the installation."""
    is_shared: bool = await tx.fetchval(
        """
        SELECT account.is_operator OR EXISTS (SELECT FROM account_persons($1) AS other WHERE other.school_id <> $2)
        FROM account WHERE account.id = $1
        """,
        account_id,
        school_id,
    )
    return is_shared


async def find_password_hash(tx: Transaction, account_id: UUID) -> str | None:
    """What the account's password is checked against."""
    hashed: str | None = await tx.fetchval("SELECT password_hash FROM account WHERE id = $1", account_id)
    return hashed


async def change_password(tx: Transaction, account_id: UUID, password_hash: str, *, now: datetime) -> None:
    """Keep a new password; what was signed in with the old one is over."""
    await tx.execute(
        "UPDATE account SET password_hash = $2, signed_out_at = $3 WHERE id = $1", account_id, password_hash, now
    )


async def set_first_passwords(tx: Transaction, school_id: UUID, password_hash: str) -> None:
    """Give everybody of a school who has no password the same one: for a school in which nobody is real."""
    await tx.execute(
        """
        UPDATE account SET password_hash = $2 FROM person
        WHERE person.school_id = $1 AND account.id = person.account_id AND account.password_hash IS NULL
        """,
        school_id,
        password_hash,
    )


async def change_locale(tx: Transaction, account_id: UUID, locale: str | None) -> None:
    """Keep the language that somebody chose; None follows the school."""
    await tx.execute("UPDATE account SET locale = $2 WHERE id = $1", account_id, locale)


async def sign_out_account(tx: Transaction, account_id: UUID, *, now: datetime) -> None:
    """End every session of the account that began before `now`, in all schools."""
    await tx.execute("UPDATE account SET signed_out_at = $2 WHERE id = $1", account_id, now)


async def change_operator(tx: Transaction, account_id: UUID, *, is_operator: bool) -> None:
    """Make an account look after the installation, or no longer; only the owner of the tables may."""
    await tx.execute("UPDATE account SET is_operator = $2 WHERE id = $1", account_id, is_operator)
