"""Statements on schools, accounts, persons, classes, families and sessions."""

from collections.abc import Sequence
from datetime import datetime
from itertools import starmap
from uuid import UUID

from firstbell.domains.people.model import (
    Credentials,
    Membership,
    NewSession,
    RefreshToken,
    Role,
    School,
    Session,
    Viewer,
)
from firstbell.kernel.db import Row, Transaction


async def list_schools(tx: Transaction) -> list[tuple[School, list[str]]]:
    """Every school of the cell with its host names."""
    rows = await tx.fetch(
        """
        SELECT id, slug, name, locale, time_zone,
               array(SELECT host FROM school_host WHERE school_id = school.id ORDER BY host) AS hosts
        FROM school ORDER BY name
        """
    )
    return [
        (School(row["id"], row["slug"], row["name"], row["locale"], row["time_zone"]), list(row["hosts"]))
        for row in rows
    ]


_VIEWER = """
SELECT fresh.id AS session_id, fresh.generation, fresh.previous_generation, fresh.rotated_at, fresh.secret,
       fresh.is_shared_device, fresh.account_id, fresh.person_id,
       person.given_name, person.family_name, account.locale, account.is_operator,
       array(SELECT role FROM person_role WHERE school_id = fresh.school_id AND person_id = fresh.person_id) AS roles,
       (
           SELECT min(class.name) FROM class_member JOIN class ON class.school_id = class_member.school_id
               AND class.id = class_member.class_id AND class.kind = 'class' AND class.retired_at IS NULL
           WHERE class_member.school_id = fresh.school_id AND class_member.person_id = fresh.person_id
             AND class_member.role = 'pupil'
       ) AS place,
       family.school_ids, family.person_ids
FROM fresh
JOIN person ON person.school_id = fresh.school_id AND person.id = fresh.person_id
     AND person.account_id = fresh.account_id AND person.retired_at IS NULL
JOIN account ON account.id = fresh.account_id
     AND (account.signed_out_at IS NULL OR account.signed_out_at <= fresh.created_at)
CROSS JOIN LATERAL (
    SELECT array_agg(school_id) AS school_ids, array_agg(person_id) AS person_ids
    FROM account_persons(fresh.account_id)
) AS family
"""


def _with_viewer(fresh: str) -> str:
    """Read who the viewer is at this moment beside `fresh`, a session row; no row when the session is void."""
    return "WITH fresh AS (" + fresh + ")" + _VIEWER


_ROTATE_SESSION = _with_viewer(
    """
    UPDATE session SET generation = generation + 1, previous_generation = $3, rotated_at = $4,
        expires_at = CASE WHEN is_shared_device THEN expires_at ELSE $6 END
    WHERE school_id = $1 AND id = $2 AND ended_at IS NULL AND expires_at > $4
      AND (generation = $3 OR (previous_generation = $3 AND rotated_at <= $5))
    RETURNING *
    """
)


async def rotate_session(
    tx: Transaction,
    school_id: UUID,
    token: RefreshToken,
    *,
    now: datetime,
    grace_began_at: datetime,
    expires_at: datetime,
) -> Session | None:
    """Put the next generation in the place of `token`'s, when it is the present one, or the one before and its
    successor was neither used nor young; the row's lock makes concurrent requests see one rotation."""
    row = await tx.fetchrow(
        _ROTATE_SESSION,
        school_id,
        token.session_id,
        token.generation,
        now,
        grace_began_at,
        expires_at,
    )
    return None if row is None else _session(row, school_id, now)


_FIND_SESSION = _with_viewer(
    """
    SELECT * FROM session WHERE school_id = $1 AND id = $2 AND ended_at IS NULL AND expires_at > $3
    """
)


async def find_session(tx: Transaction, school_id: UUID, session_id: UUID, *, now: datetime) -> Session | None:
    """The session as it is, unless it is over."""
    row = await tx.fetchrow(
        _FIND_SESSION,
        school_id,
        session_id,
        now,
    )
    return None if row is None else _session(row, school_id, now)


_ADD_SESSION = _with_viewer(
    """
    INSERT INTO session (school_id, id, person_id, account_id, device_id, browser, is_shared_device, secret,
                         rotated_at, created_at, expires_at)
    SELECT $1, $2, $3, id, $5, $6, $7, $8, $9, $9, $10
    FROM account WHERE id = $4 AND password_hash = $11
    FOR SHARE
    RETURNING *
    """
)


async def add_session(tx: Transaction, new: NewSession, *, password_hash: str | None) -> Session | None:
    """A first generation, unless the password is another than the one that was checked.

    The lock on the account makes a sign-in wait for a change of password that is under way.
    """
    row = await tx.fetchrow(
        _ADD_SESSION,
        new.school_id,
        new.id,
        new.person_id,
        new.account_id,
        new.device_id,
        new.browser,
        new.is_shared_device,
        new.secret,
        new.at,
        new.expires_at,
        password_hash,
    )
    return None if row is None else _session(row, new.school_id, new.at)


async def end_session(tx: Transaction, school_id: UUID, session_id: UUID, *, now: datetime) -> bool:
    """End it; False when it was over already."""
    ended = await tx.execute(
        "UPDATE session SET ended_at = $3 WHERE school_id = $1 AND id = $2 AND ended_at IS NULL",
        school_id,
        session_id,
        now,
    )
    return ended > 0


async def find_credentials(tx: Transaction, school_id: UUID, sign_in_key: str) -> Credentials | None:
    """Whose sign-in name this is in the school."""
    row = await tx.fetchrow(
        """
        SELECT person.id AS person_id, account.id AS account_id, account.password_hash
        FROM person JOIN account ON account.id = person.account_id
        WHERE person.school_id = $1 AND lower(person.sign_in_name) = $2 AND person.retired_at IS NULL
        """,
        school_id,
        sign_in_key,
    )
    return None if row is None else Credentials(**row)


async def find_name(tx: Transaction, school_id: UUID, person_id: UUID) -> str | None:
    """The full name of a person."""
    name: str | None = await tx.fetchval(
        "SELECT trim(given_name || ' ' || family_name) FROM person WHERE school_id = $1 AND id = $2",
        school_id,
        person_id,
    )
    return name


def _session(row: Row, school_id: UUID, now: datetime) -> Session:
    roles = tuple(Role(role) for role in row["roles"])
    viewer = Viewer(
        session_id=row["session_id"],
        account_id=row["account_id"],
        school_id=school_id,
        person_id=row["person_id"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        place=row["place"] or "",
        roles=(*roles, Role.OPERATOR) if row["is_operator"] else roles,
        locale=row["locale"],
        family=tuple(starmap(Membership, zip(row["school_ids"], row["person_ids"], strict=True))),
        issued_at=now.timestamp(),
        is_shared_device=row["is_shared_device"],
    )
    return Session(row["generation"], row["previous_generation"], row["rotated_at"], row["secret"], viewer)


async def add_school(tx: Transaction, school: School, hosts: Sequence[str]) -> None:
    """Insert a school and the host names at which it answers."""
    await tx.execute(
        "INSERT INTO school (id, slug, name, locale, time_zone) VALUES ($1, $2, $3, $4, $5)",
        school.id,
        school.slug,
        school.name,
        school.locale,
        school.time_zone,
    )
    await tx.execute("INSERT INTO school_host (host, school_id) SELECT unnest($1::text[]), $2", list(hosts), school.id)


async def rename_school(tx: Transaction, school_id: UUID, name: str) -> bool:
    """Give the school this name; False when it has it."""
    return await tx.execute("UPDATE school SET name = $2 WHERE id = $1 AND name <> $2", school_id, name) > 0


async def set_password(tx: Transaction, school_id: UUID, sign_in_key: str, password_hash: str) -> UUID | None:
    """Give the account of whoever has this sign-in name another password; the person, or None when nobody has it."""
    person_id: UUID | None = await tx.fetchval(
        """
        UPDATE account SET password_hash = $3 FROM person
        WHERE person.school_id = $1 AND lower(person.sign_in_name) = $2 AND person.retired_at IS NULL
          AND account.id = person.account_id
        RETURNING person.id
        """,
        school_id,
        sign_in_key,
        password_hash,
    )
    return person_id


async def end_sessions_of(tx: Transaction, school_id: UUID, person_id: UUID, *, now: datetime) -> list[UUID]:
    """Sign a person out everywhere in the school; the sessions that this ended."""
    rows = await tx.fetch(
        """
        UPDATE session SET ended_at = $3 WHERE school_id = $1 AND person_id = $2 AND ended_at IS NULL RETURNING id
        """,
        school_id,
        person_id,
        now,
    )
    return [row["id"] for row in rows]
