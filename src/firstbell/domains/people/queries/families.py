"""Statements on parents, their children, and the codes that link them."""

from datetime import datetime
from uuid import UUID

from firstbell.domains.people.model import Child, Role, Viewer
from firstbell.domains.people.queries.directory import roles_in
from firstbell.kernel.db import Transaction


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
        RETURNING person.id, person.roles
        """,
        school_id,
        code_hash,
        now,
    )
    return None if row is None else (row["id"], roles_in(row))


async def forget_activation_codes(tx: Transaction, school_id: UUID, *, before: datetime) -> int:
    """Remove the codes that could be used until before that instant; how many."""
    return await tx.execute("DELETE FROM activation_code WHERE school_id = $1 AND expires_at < $2", school_id, before)


async def find_parent(tx: Transaction, school_id: UUID, account_id: UUID) -> UUID | None:
    """The account's adult person in the school, to whom a child can be linked."""
    person_id: UUID | None = await tx.fetchval(
        """
        SELECT person.id FROM person
        WHERE person.school_id = $1 AND person.account_id = $2 AND person.retired_at IS NULL
          AND NOT 'pupil' = ANY (person.roles)
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
            UPDATE person SET roles = array_sort(array_append(roles, 'parent'))
            WHERE school_id = $1 AND id = $2 AND NOT 'parent' = ANY (roles)
        )
        INSERT INTO guardianship (school_id, parent_id, child_id, linked_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (school_id, parent_id, child_id) DO UPDATE SET linked_at = excluded.linked_at
        """,
        school_id,
        parent_id,
        child_id,
        now,
    )


async def remove_linked_child(tx: Transaction, school_id: UUID, parent_id: UUID, child_id: UUID) -> bool:
    """Take away what a code linked; False when no code did."""
    removed = await tx.execute(
        """
        DELETE FROM guardianship
        WHERE school_id = $1 AND parent_id = $2 AND child_id = $3 AND linked_at IS NOT NULL
        """,
        school_id,
        parent_id,
        child_id,
    )
    return removed > 0


async def list_children(tx: Transaction, viewer: Viewer) -> list[Child]:
    """The viewer's children in the schools that the transaction reads (see `read_family`), by name."""
    rows = await tx.fetch(
        """
        SELECT child.given_name, child.family_name, child.school_id, school.name AS school_name,
               child.id AS person_id, child.class_name, guardianship.linked_at IS NOT NULL AS is_linked
        FROM unnest($1::uuid[], $2::uuid[]) AS parent (school_id, id)
        JOIN guardianship ON guardianship.school_id = parent.school_id AND guardianship.parent_id = parent.id
        JOIN person AS child ON child.school_id = guardianship.school_id AND child.id = guardianship.child_id
             AND child.retired_at IS NULL
        JOIN school ON school.id = child.school_id
        ORDER BY child.given_name, child.family_name, child.id
        """,
        [membership.school_id for membership in viewer.family],
        [membership.person_id for membership in viewer.family],
    )
    return [Child(**row) for row in rows]
