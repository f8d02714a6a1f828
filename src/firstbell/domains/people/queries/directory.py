"""Statements on persons and classes: who is there."""

from uuid import UUID

from firstbell.domains.people.model import Class, Person, PersonPage, Role
from firstbell.kernel.db import Row, Transaction


async def find_name(tx: Transaction, school_id: UUID, person_id: UUID) -> str | None:
    """The full name of a person."""
    name: str | None = await tx.fetchval(
        "SELECT trim(given_name || ' ' || family_name) FROM person WHERE school_id = $1 AND id = $2",
        school_id,
        person_id,
    )
    return name


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
    person.id, person.given_name, person.family_name, person.roles,
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
        roles=roles_in(row),
        place=row["place"],
        account_id=row["account_id"],
        sign_in_name=row["sign_in_name"],
        has_password=row["has_password"],
        classes=tuple(Class(**line) for line in classes),
    )


async def count_roles(tx: Transaction, school_id: UUID) -> dict[Role, int]:
    """How many people of each role the school has."""
    rows = await tx.fetch(
        """
        SELECT held.role, count(*) FROM person CROSS JOIN unnest(person.roles) AS held (role)
        WHERE person.school_id = $1 AND person.retired_at IS NULL
        GROUP BY held.role
        """,
        school_id,
    )
    return {Role(row[0]): row[1] for row in rows}


def _person(row: Row) -> Person:
    return Person(
        id=row["id"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        roles=roles_in(row),
        place=row["place"],
    )


def roles_in(row: Row) -> tuple[Role, ...]:
    """The roles that a row lists, and that of operator where it says so."""
    roles = tuple(Role(role) for role in row["roles"])
    return (*roles, Role.OPERATOR) if row.get("is_operator") else roles
