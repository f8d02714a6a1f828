"""Statements on sessions, and who their viewers are at this moment."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.domains.people.model import (
    Membership,
    NewSession,
    RefreshToken,
    Role,
    Session,
    SignedIn,
    Viewer,
)
from firstbell.domains.people.queries.accounts import list_memberships
from firstbell.domains.people.queries.directory import roles_in
from firstbell.kernel.db import Row, Transaction

# Who the viewer of a session is at this moment: what is read, from where, and when it holds.
_VIEWER = """
    session.id AS session_id, session.generation, session.previous_generation, session.rotated_at, session.secret,
    session.is_shared_device, session.account_id, session.person_id,
    person.given_name, person.family_name, person.roles, person.class_name, account.locale, account.is_operator
"""


_VIEWER_FROM = " person JOIN account ON account.id = person.account_id "


_VIEWER_WHERE = """
    person.school_id = session.school_id AND person.id = session.person_id
    AND person.account_id = session.account_id AND person.retired_at IS NULL
    AND (account.signed_out_at IS NULL OR account.signed_out_at <= session.created_at)
"""


_ROTATE_SESSION = " ".join(
    (
        """
        UPDATE session SET generation = greatest(generation, $3) + 1, previous_generation = $3, rotated_at = $4,
            expires_at = CASE WHEN is_shared_device THEN expires_at ELSE $6 END
        FROM""",
        _VIEWER_FROM,
        """
        WHERE session.school_id = $1 AND session.id = $2 AND session.ended_at IS NULL AND session.expires_at > $4
          AND sha256(substr(sha256(session.secret || $7), 1, 16)) = sha256($8)
          AND (generation <= $3 OR (previous_generation = $3 AND rotated_at <= $5)) AND""",
        _VIEWER_WHERE,
        "RETURNING",
        _VIEWER,
    )
)


async def rotate_session(
    tx: Transaction,
    school_id: UUID,
    token: RefreshToken,
    *,
    now: datetime,
    grace_began_at: datetime,
    expires_at: datetime,
    at_once: bool,
) -> Session | None:
    """Put the next generation in the place of `token`'s, when it is one of ours and the present one, or the one before
    and its successor was neither used nor young; the row's lock makes concurrent requests see one rotation.

    A generation that the row does not have yet is a rotation that a crash or a restored backup undid: present, too.
    `at_once`: by a transaction of its own. Codes are compared by their hashes, so that the time it takes tells nothing.
    """
    of_token = token.session_id, token.generation, now, grace_began_at, expires_at, token.signed, token.mac
    if at_once:
        row = await tx.change_at_once(school_id, _ROTATE_SESSION, school_id, *of_token)
    else:
        row = await tx.fetchrow(_ROTATE_SESSION, school_id, *of_token)
    return None if row is None else await _session(tx, row, school_id, now)


_FIND_SESSION = " ".join(
    (
        "SELECT",
        _VIEWER,
        "FROM session,",
        _VIEWER_FROM,
        "WHERE session.school_id = $1 AND session.id = $2 AND session.ended_at IS NULL AND session.expires_at > $3 AND",
        _VIEWER_WHERE,
    )
)


async def find_session(tx: Transaction, school_id: UUID, session_id: UUID, *, now: datetime) -> Session | None:
    """The session as it is, unless it is over."""
    row = await tx.fetchrow(
        _FIND_SESSION,
        school_id,
        session_id,
        now,
    )
    return None if row is None else await _session(tx, row, school_id, now)


_ADD_SESSION = " ".join(
    (
        """
    WITH session AS (
        INSERT INTO session (school_id, id, person_id, account_id, device_id, browser, is_shared_device, secret,
                             rotated_at, created_at, expires_at)
        SELECT $1, $2, $3, id, $5, $6, $7, $8, $9, $9, $10
        FROM account WHERE id = $4 AND password_hash = $11
        FOR SHARE
        RETURNING *
    )
    SELECT""",
        _VIEWER,
        "FROM session,",
        _VIEWER_FROM,
        "WHERE",
        _VIEWER_WHERE,
    )
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
    return None if row is None else await _session(tx, row, new.school_id, new.at)


async def _session(tx: Transaction, row: Row, school_id: UUID, now: datetime) -> Session:
    roles = roles_in(row)
    # Only whoever is no pupil has a family to look after; asking for everybody costs a sixth of a refresh.
    is_pupil = Role.PUPIL in roles
    family = [Membership(school_id, row["person_id"])] if is_pupil else await list_memberships(tx, row["account_id"])
    viewer = Viewer(
        session_id=row["session_id"],
        account_id=row["account_id"],
        school_id=school_id,
        person_id=row["person_id"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        place=row["class_name"],
        roles=roles,
        locale=row["locale"],
        family=tuple(family),
        issued_at=now.timestamp(),
        is_shared_device=row["is_shared_device"],
    )
    return Session(row["generation"], row["previous_generation"], row["rotated_at"], row["secret"], viewer)


async def end_session(tx: Transaction, school_id: UUID, session_id: UUID, *, now: datetime) -> bool:
    """End it; False when it was over already."""
    ended = await tx.execute(
        "UPDATE session SET ended_at = $3 WHERE school_id = $1 AND id = $2 AND ended_at IS NULL",
        school_id,
        session_id,
        now,
    )
    return ended > 0


async def end_own_session(
    tx: Transaction, school_id: UUID, session_id: UUID, person_ids: Sequence[UUID], *, now: datetime
) -> bool:
    """End it when it is one of these persons'; False when it is not, or was over."""
    ended = await tx.execute(
        """
        UPDATE session SET ended_at = $4
        WHERE school_id = $1 AND id = $2 AND person_id = ANY ($3::uuid[]) AND ended_at IS NULL
        """,
        school_id,
        session_id,
        list(person_ids),
        now,
    )
    return ended > 0


async def end_sessions_of(tx: Transaction, school_id: UUID, person_id: UUID, *, now: datetime) -> list[UUID]:
    """End every session of a person in the school; their ids."""
    rows = await tx.fetch(
        """
        UPDATE session SET ended_at = $3
        WHERE school_id = $1 AND person_id = $2 AND ended_at IS NULL AND expires_at > $3
        RETURNING id
        """,
        school_id,
        person_id,
        now,
    )
    return [row["id"] for row in rows]


async def list_sessions(tx: Transaction, account_id: UUID, *, now: datetime, most: int) -> list[SignedIn]:
    """Where the account is signed in, in the schools that the transaction reads, the newest first."""
    rows = await tx.fetch(
        """
        SELECT session.id, session.school_id, session.browser, session.created_at, session.is_shared_device
        FROM session JOIN account ON account.id = session.account_id
        WHERE session.account_id = $1 AND session.ended_at IS NULL AND session.expires_at > $2
          AND (account.signed_out_at IS NULL OR account.signed_out_at <= session.created_at)
        ORDER BY session.created_at DESC LIMIT $3
        """,
        account_id,
        now,
        most,
    )
    return [SignedIn(**row) for row in rows]


async def count_sessions(tx: Transaction, school_id: UUID, *, now: datetime) -> int:
    """How many browsers are signed in at the school."""
    count: int = await tx.fetchval(
        "SELECT count(*) FROM session WHERE school_id = $1 AND ended_at IS NULL AND expires_at > $2", school_id, now
    )
    return count


async def forget_sessions(tx: Transaction, school_id: UUID, *, before: datetime, most: int) -> int:
    """Remove at most `most` sessions that ended or ran out before that instant; how many."""
    return await tx.execute(
        """
        DELETE FROM session WHERE school_id = $1 AND id IN (
            SELECT id FROM session WHERE school_id = $1 AND least(ended_at, expires_at) < $2 LIMIT $3
        )
        """,
        school_id,
        before,
        most,
    )
