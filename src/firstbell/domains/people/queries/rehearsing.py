"""Statements that set the stage of a rehearsal: a password for everybody, and devices on which they are signed in."""

from datetime import datetime
from uuid import UUID

import msgspec

from firstbell.domains.people.model import Role
from firstbell.kernel.db import Transaction


class Device(msgspec.Struct, frozen=True):
    """A device on which somebody is signed in, with the secret of its first refresh token."""

    sign_in_name: str
    role: Role
    session_id: UUID
    device_id: UUID
    secret: bytes


async def give_everybody_password(tx: Transaction, school_id: UUID, password_hash: str) -> None:
    """Give all accounts of the school the same password."""
    await tx.execute(
        """
        UPDATE account SET password_hash = $2
        FROM person WHERE person.account_id = account.id AND person.school_id = $1
        """,
        school_id,
        password_hash,
    )


async def add_devices(tx: Transaction, school_id: UUID, each: int, *, at: datetime, until: datetime) -> list[Device]:
    """Sign every pupil, teacher and parent of the school in on `each` devices."""
    rows = await tx.fetch(
        """
        WITH somebody AS (
            SELECT DISTINCT ON (person.id) person.id, account_id, sign_in_name, role
            FROM person CROSS JOIN unnest(person.roles) AS held (role)
            WHERE person.school_id = $1 AND retired_at IS NULL AND role IN ('pupil', 'teacher', 'parent')
            ORDER BY person.id, role DESC
        ), added AS (
            INSERT INTO session (school_id, id, person_id, account_id, device_id, browser, secret,
                                 rotated_at, created_at, expires_at)
            SELECT $1, gen_random_uuid(), somebody.id, account_id, gen_random_uuid(), 'Rehearsal',
                   uuid_send(gen_random_uuid()), $3, $3, $4
            FROM somebody, generate_series(1, $2)
            RETURNING person_id, id, device_id, secret
        )
        SELECT sign_in_name, role, added.id AS session_id, device_id, secret
        FROM added JOIN somebody ON somebody.id = added.person_id
        ORDER BY session_id
        """,
        school_id,
        each,
        at,
        until,
    )
    return [
        Device(row["sign_in_name"], Role(row["role"]), row["session_id"], row["device_id"], row["secret"])
        for row in rows
    ]
