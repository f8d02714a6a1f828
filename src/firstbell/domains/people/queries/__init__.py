"""Statements on schools, accounts, persons, classes, families and sessions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.domains.people.model import (
    Child,
    Class,
    Credentials,
    Membership,
    NewSession,
    Person,
    PersonPage,
    RefreshToken,
    Role,
    School,
    Session,
    SignedIn,
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


async def count_persons(tx: Transaction) -> dict[UUID, int]:
    """How many people there are in each school of the transaction."""
    rows = await tx.fetch(
        "SELECT school_id, count(*) AS people FROM person WHERE retired_at IS NULL GROUP BY school_id"
    )
    return {row["school_id"]: row["people"] for row in rows}


# Who the viewer of a session is at this moment: what is read, from where, and when it holds.
_VIEWER = """
    session.id AS session_id, session.generation, session.previous_generation, session.rotated_at, session.secret,
    session.is_shared_device, session.account_id, session.person_id,
    person.given_name, person.family_name, account.locale, account.is_operator,
    array(
        SELECT role FROM person_role
        WHERE person_role.school_id = person.school_id AND person_role.person_id = person.id
    ) AS roles,
    (
        SELECT min(class.name)
        FROM class_member JOIN class ON class.school_id = class_member.school_id AND class.id = class_member.class_id
        WHERE class_member.school_id = person.school_id AND class_member.person_id = person.id
          AND class_member.role = 'pupil' AND class.kind = 'class' AND class.retired_at IS NULL
    ) AS place
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
) -> Session | None:
    """Put the next generation in the place of `token`'s, when it is the present one, or the one before and its
    successor was neither used nor young; the row's lock makes concurrent requests see one rotation.

    A generation that the row does not have yet is a rotation that a crash or a restored backup undid: present, too.
    """
    row = await tx.fetchrow(
        _ROTATE_SESSION,
        school_id,
        token.session_id,
        token.generation,
        now,
        grace_began_at,
        expires_at,
    )
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


async def list_memberships(tx: Transaction, account_id: UUID) -> list[Membership]:
    """Every person of the account in the schools of the cell."""
    rows = await tx.fetch("SELECT school_id, person_id FROM account_persons($1)", account_id)
    return [Membership(*row) for row in rows]


async def _session(tx: Transaction, row: Row, school_id: UUID, now: datetime) -> Session:
    roles = _roles(row)
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
        place=row["place"] or "",
        roles=roles,
        locale=row["locale"],
        family=tuple(family),
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


async def sign_out_account(tx: Transaction, account_id: UUID, *, now: datetime) -> None:
    """End every session of the account that began before `now`, in all schools."""
    await tx.execute("UPDATE account SET signed_out_at = $2 WHERE id = $1", account_id, now)


async def find_password_hash(tx: Transaction, account_id: UUID) -> str | None:
    """What the account's password is checked against."""
    hashed: str | None = await tx.fetchval("SELECT password_hash FROM account WHERE id = $1", account_id)
    return hashed


async def change_password(tx: Transaction, account_id: UUID, password_hash: str, *, now: datetime) -> None:
    """Keep a new password; what was signed in with the old one is over."""
    await tx.execute(
        "UPDATE account SET password_hash = $2, signed_out_at = $3 WHERE id = $1", account_id, password_hash, now
    )


async def change_locale(tx: Transaction, account_id: UUID, locale: str | None) -> None:
    """Keep the language that somebody chose; None follows the school."""
    await tx.execute("UPDATE account SET locale = $2 WHERE id = $1", account_id, locale)


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


async def add_account(tx: Transaction, account_id: UUID) -> None:
    """An account with which nobody can sign in yet."""
    await tx.execute("INSERT INTO account (id) VALUES ($1)", account_id)


async def move_person(tx: Transaction, school_id: UUID, person_id: UUID, account_id: UUID) -> None:
    """Put a person under another account."""
    await tx.execute(
        "UPDATE person SET account_id = $3 WHERE school_id = $1 AND id = $2", school_id, person_id, account_id
    )


async def add_activation_code(
    tx: Transaction, school_id: UUID, code_id: UUID, person_id: UUID, code_hash: bytes, *, expires_at: datetime
) -> None:
    """Keep the hash of a code that was printed; earlier ones of the person are void."""
    await tx.execute(
        """
        WITH void AS (
            DELETE FROM activation_code WHERE school_id = $1 AND person_id = $3 AND used_at IS NULL
        )
        INSERT INTO activation_code (school_id, id, person_id, code_hash, expires_at) VALUES ($1, $2, $3, $4, $5)
        """,
        school_id,
        code_id,
        person_id,
        code_hash,
        expires_at,
    )


async def find_school_of_code(tx: Transaction, code_hash: bytes) -> UUID | None:
    """The school whose transaction may use the code."""
    school_id: UUID | None = await tx.fetchval("SELECT school_id FROM school_of_activation_code($1)", code_hash)
    return school_id


async def use_activation_code(
    tx: Transaction, school_id: UUID, code_hash: bytes, *, now: datetime
) -> tuple[UUID, tuple[Role, ...]] | None:
    """Use a code up: whose it is, and their roles; None when it was used or is too old."""
    row = await tx.fetchrow(
        """
        UPDATE activation_code AS code SET used_at = $3
        FROM person
        WHERE code.school_id = $1 AND code.code_hash = $2 AND code.used_at IS NULL AND code.expires_at > $3
          AND person.school_id = code.school_id AND person.id = code.person_id AND person.retired_at IS NULL
        RETURNING person.id, array(
            SELECT role FROM person_role
            WHERE person_role.school_id = person.school_id AND person_role.person_id = person.id
        ) AS roles
        """,
        school_id,
        code_hash,
        now,
    )
    return None if row is None else (row["id"], _roles(row))


async def find_parent(tx: Transaction, school_id: UUID, account_id: UUID) -> UUID | None:
    """The account's adult person in the school, to whom a child can be linked."""
    person_id: UUID | None = await tx.fetchval(
        """
        SELECT person.id FROM person
        WHERE person.school_id = $1 AND person.account_id = $2 AND person.retired_at IS NULL AND NOT EXISTS (
            SELECT FROM person_role WHERE school_id = $1 AND person_id = person.id AND role = 'pupil'
        )
        ORDER BY person.id LIMIT 1
        """,
        school_id,
        account_id,
    )
    return person_id


async def add_parent(tx: Transaction, school_id: UUID, parent_id: UUID, viewer: Viewer) -> None:
    """Make the viewer a person of another school of the cell, who signs in there with a name of their own."""
    await tx.execute(
        """
        INSERT INTO person (school_id, id, account_id, sign_in_name, given_name, family_name)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        school_id,
        parent_id,
        viewer.account_id,
        parent_id.hex,
        viewer.given_name,
        viewer.family_name,
    )


async def add_child(tx: Transaction, school_id: UUID, parent_id: UUID, child_id: UUID, *, now: datetime) -> None:
    """Make a person a parent of a pupil, so that no roster takes it away again."""
    await tx.execute(
        """
        WITH parent AS (
            INSERT INTO person_role (school_id, person_id, role) VALUES ($1, $2, 'parent') ON CONFLICT DO NOTHING
        )
        INSERT INTO guardianship (school_id, parent_id, child_id, linked_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (school_id, parent_id, child_id) DO UPDATE SET linked_at = excluded.linked_at
        """,
        school_id,
        parent_id,
        child_id,
        now,
    )


async def list_children(tx: Transaction, viewer: Viewer) -> list[Child]:
    """The viewer's children in the schools that the transaction reads (see `read_family`), by name."""
    rows = await tx.fetch(
        """
        SELECT child.given_name, child.family_name, child.school_id, school.name AS school_name,
               child.id AS person_id, coalesce(class_of.name, '') AS class_name
        FROM unnest($1::uuid[], $2::uuid[]) AS parent (school_id, id)
        JOIN guardianship ON guardianship.school_id = parent.school_id AND guardianship.parent_id = parent.id
        JOIN person AS child ON child.school_id = guardianship.school_id AND child.id = guardianship.child_id
             AND child.retired_at IS NULL
        JOIN school ON school.id = child.school_id
        LEFT JOIN LATERAL (
            SELECT min(class.name) AS name
            FROM class_member
            JOIN class ON class.school_id = class_member.school_id AND class.id = class_member.class_id
            WHERE class_member.school_id = child.school_id AND class_member.person_id = child.id
              AND class_member.role = 'pupil' AND class.kind = 'class' AND class.retired_at IS NULL
        ) AS class_of ON true
        ORDER BY child.given_name, child.family_name, child.id
        """,
        [membership.school_id for membership in viewer.family],
        [membership.person_id for membership in viewer.family],
    )
    return [Child(**row) for row in rows]


async def list_classes(tx: Transaction, school_id: UUID) -> list[Class]:
    """The classes of the school with how many pupils they have and who leads them."""
    rows = await tx.fetch(
        """
        SELECT class.id, class.name,
               count(person.id) FILTER (WHERE class_member.role = 'pupil') AS pupils,
               coalesce(
                   array_agg(person.given_name || ' ' || person.family_name ORDER BY person.family_name)
                   FILTER (WHERE class_member.role = 'teacher'), '{}'
               ) AS teachers
        FROM class
        LEFT JOIN class_member ON class_member.school_id = class.school_id AND class_member.class_id = class.id
        LEFT JOIN person ON person.school_id = class_member.school_id AND person.id = class_member.person_id
             AND person.retired_at IS NULL
        WHERE class.school_id = $1 AND class.kind = 'class' AND class.retired_at IS NULL
        GROUP BY class.id, class.name
        """,
        school_id,
    )
    return [Class(row["id"], row["name"], row["pupils"], tuple(row["teachers"])) for row in rows]


async def find_class(tx: Transaction, school_id: UUID, class_id: UUID, *, member_id: UUID | None) -> Class | None:
    """A class; with `member_id` only when that person is in it."""
    row = await tx.fetchrow(
        """
        SELECT id, name FROM class
        WHERE school_id = $1 AND id = $2 AND kind = 'class' AND retired_at IS NULL AND ($3::uuid IS NULL OR EXISTS (
            SELECT FROM class_member
            WHERE class_member.school_id = $1 AND class_member.class_id = $2 AND class_member.person_id = $3
        ))
        """,
        school_id,
        class_id,
        member_id,
    )
    return None if row is None else Class(**row)


async def list_members(tx: Transaction, school_id: UUID, class_id: UUID, *, most: int) -> list[Person]:
    """Who is in a class, as teacher or as pupil, by name."""
    rows = await tx.fetch(
        """
        SELECT person.id, person.given_name, person.family_name, array[class_member.role] AS roles, '' AS place
        FROM class_member
        JOIN person ON person.school_id = class_member.school_id AND person.id = class_member.person_id
        WHERE class_member.school_id = $1 AND class_member.class_id = $2 AND person.retired_at IS NULL
        ORDER BY lower(person.family_name), lower(person.given_name), person.id LIMIT $3
        """,
        school_id,
        class_id,
        most,
    )
    return [_person(row) for row in rows]


_PERSON_COLUMNS = """
    person.id, person.given_name, person.family_name,
    array(
        SELECT role FROM person_role
        WHERE person_role.school_id = person.school_id AND person_role.person_id = person.id ORDER BY role
    ) AS roles,
    coalesce((
        SELECT min(class.name)
        FROM class_member JOIN class ON class.school_id = class_member.school_id AND class.id = class_member.class_id
        WHERE class_member.school_id = person.school_id AND class_member.person_id = person.id
          AND class.kind = 'class' AND class.retired_at IS NULL
    ), '') AS place
"""

_LIST_PEOPLE = (
    "SELECT"
    + _PERSON_COLUMNS
    + """
    FROM people_named($2, $3, $4) WITH ORDINALITY AS found (id, place_in_list)
    JOIN person ON person.school_id = $1 AND person.id = found.id
    ORDER BY found.place_in_list
    """
)


async def list_people(tx: Transaction, school_id: UUID, beginning: str, *, skipped: int, most: int) -> list[Person]:
    """Whose name begins with `beginning` (see `beginning_of`), given or family name first, by family name."""
    return [_person(row) for row in await tx.fetch(_LIST_PEOPLE, school_id, beginning, skipped, most)]


_LIST_RELATIVES = (
    "SELECT"
    + _PERSON_COLUMNS
    + """
    FROM guardianship
    JOIN person ON person.school_id = guardianship.school_id AND person.retired_at IS NULL
         AND person.id IN (guardianship.parent_id, guardianship.child_id) AND person.id <> $2
    WHERE guardianship.school_id = $1 AND (guardianship.parent_id = $2 OR guardianship.child_id = $2)
    ORDER BY lower(person.given_name), person.id LIMIT $3
    """
)


async def list_relatives(tx: Transaction, school_id: UUID, person_id: UUID, *, most: int) -> list[Person]:
    """The parents and the children of somebody."""
    return [_person(row) for row in await tx.fetch(_LIST_RELATIVES, school_id, person_id, most)]


_FIND_PERSON = (
    "SELECT"
    + _PERSON_COLUMNS
    + """
    , person.account_id, person.sign_in_name, account.password_hash IS NOT NULL AS has_password, account.is_operator
    FROM person JOIN account ON account.id = person.account_id
    WHERE person.school_id = $1 AND person.id = $2 AND person.retired_at IS NULL
    """
)


async def find_person(tx: Transaction, school_id: UUID, person_id: UUID) -> PersonPage | None:
    """Somebody of the school."""
    row = await tx.fetchrow(_FIND_PERSON, school_id, person_id)
    if row is None:
        return None
    classes = await tx.fetch(
        """
        SELECT class.id, class.name
        FROM class_member JOIN class ON class.school_id = class_member.school_id AND class.id = class_member.class_id
        WHERE class_member.school_id = $1 AND class_member.person_id = $2
          AND class.kind = 'class' AND class.retired_at IS NULL
        ORDER BY class.name
        """,
        school_id,
        person_id,
    )
    return PersonPage(
        id=row["id"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        roles=_roles(row),
        place=row["place"],
        account_id=row["account_id"],
        sign_in_name=row["sign_in_name"],
        has_password=row["has_password"],
        classes=tuple(Class(**line) for line in classes),
    )


async def count_people(tx: Transaction) -> dict[UUID, dict[Role, int]]:
    """How many people of each role each school of the installation has."""
    counts: dict[UUID, dict[Role, int]] = {}
    for row in await tx.fetch("SELECT school_id, role, people FROM count_people()"):
        counts.setdefault(row["school_id"], {})[Role(row["role"])] = row["people"]
    return counts


async def count_roles(tx: Transaction, school_id: UUID) -> dict[Role, int]:
    """How many people of each role the school has."""
    rows = await tx.fetch(
        """
        SELECT held.role, count(*) FROM person_role AS held
        JOIN person ON person.school_id = held.school_id AND person.id = held.person_id
        WHERE held.school_id = $1 AND person.retired_at IS NULL
        GROUP BY held.role
        """,
        school_id,
    )
    return {Role(row[0]): row[1] for row in rows}


async def count_sessions(tx: Transaction, school_id: UUID, *, now: datetime) -> int:
    """How many browsers are signed in at the school."""
    count: int = await tx.fetchval(
        "SELECT count(*) FROM session WHERE school_id = $1 AND ended_at IS NULL AND expires_at > $2", school_id, now
    )
    return count


def _person(row: Row) -> Person:
    return Person(
        id=row["id"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        roles=_roles(row),
        place=row["place"],
    )


def _roles(row: Row) -> tuple[Role, ...]:
    roles = tuple(Role(role) for role in row["roles"])
    return (*roles, Role.OPERATOR) if row.get("is_operator") else roles


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


async def forget_activation_codes(tx: Transaction, school_id: UUID, *, before: datetime) -> int:
    """Remove the codes that could be used until before that instant; how many."""
    return await tx.execute("DELETE FROM activation_code WHERE school_id = $1 AND expires_at < $2", school_id, before)


async def change_operator(tx: Transaction, account_id: UUID, *, is_operator: bool) -> None:
    """Make an account look after the installation, or no longer; only the owner of the tables may."""
    await tx.execute("UPDATE account SET is_operator = $2 WHERE id = $1", account_id, is_operator)
