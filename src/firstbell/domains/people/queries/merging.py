"""Statements that write what `comparing` found, for a whole roster at once."""

from datetime import datetime
from uuid import UUID

from firstbell.kernel.db import Transaction


async def merge_school_years(tx: Transaction, school_id: UUID) -> None:
    """Write the staged school years."""
    await tx.execute(
        """
        INSERT INTO school_year (school_id, id, source_id, name, starts_on, ends_on)
        SELECT $1, id, source_id, name, starts_on, ends_on FROM staged_school_year WHERE verdict = 'added'
        """,
        school_id,
    )
    await tx.execute(
        """
        UPDATE school_year AS kept SET name = staged.name, starts_on = staged.starts_on, ends_on = staged.ends_on
        FROM staged_school_year AS staged
        WHERE kept.school_id = $1 AND kept.id = staged.id AND staged.verdict = 'changed'
        """,
        school_id,
    )


async def merge_people(tx: Transaction, school_id: UUID, *, now: datetime) -> None:
    """Write the staged persons and their roles. A new person gets an account; no account is ever linked or renewed.

    The classes are written before, since a new person is written with the name of their class.
    Sign-in names that move are parked on the id first, since two people may swap theirs.
    """
    await tx.execute(
        """
        UPDATE person AS kept SET retired_at = $2 FROM staged_person AS staged
        WHERE kept.school_id = $1 AND kept.id = staged.id AND staged.verdict = 'retired'
        """,
        school_id,
        now,
    )
    await tx.execute(
        """
        UPDATE person AS kept SET sign_in_name = kept.id::text FROM staged_person AS staged
        WHERE kept.school_id = $1 AND kept.id = staged.id AND staged.verdict IN ('changed', 'returned')
          AND kept.sign_in_name <> staged.sign_in_name
        """,
        school_id,
    )
    await tx.execute(
        """
        UPDATE person AS kept SET sign_in_name = staged.sign_in_name, given_name = staged.given_name,
            family_name = staged.family_name, email = staged.email, retired_at = NULL,
            birth_date = CASE WHEN staged.has_birth_date THEN staged.birth_date ELSE kept.birth_date END
        FROM staged_person AS staged
        WHERE kept.school_id = $1 AND kept.id = staged.id AND staged.verdict IN ('changed', 'returned')
        """,
        school_id,
    )
    await _merge_roles(tx, school_id)
    await _add_people(tx, school_id)


async def _add_people(tx: Transaction, school_id: UUID) -> None:
    await tx.execute(
        "INSERT INTO account (id) SELECT account_id FROM staged_person WHERE verdict = 'added' ORDER BY account_id"
    )
    await tx.execute(
        """
        INSERT INTO person (school_id, id, account_id, source_id, sign_in_name, given_name, family_name, email,
                            birth_date, roles, class_name)
        SELECT $1, id, account_id, source_id, sign_in_name, given_name, family_name, email, birth_date,
               coalesce(roles, '{}'), coalesce(class_name, '')
        FROM staged_person
        LEFT JOIN (
            SELECT person_id, array_agg(role ORDER BY role) AS roles FROM role_difference GROUP BY person_id
        ) AS held ON held.person_id = id
        LEFT JOIN (
            SELECT member.person_id, min(class.name) AS class_name
            FROM class_member_difference AS member JOIN class ON class.school_id = $1 AND class.id = member.class_id
            WHERE member.role = 'pupil' AND class.kind = 'class' AND class.retired_at IS NULL
            GROUP BY member.person_id
        ) AS pupil ON pupil.person_id = id
        WHERE verdict = 'added' ORDER BY id
        """,
        school_id,
    )


async def _merge_roles(tx: Transaction, school_id: UUID) -> None:
    """Write which roles known persons get and lose, onto those that they have when their row is locked."""
    await tx.execute(
        """
        UPDATE person AS kept SET roles = array(
            SELECT role FROM unnest(kept.roles) AS held (role) WHERE role <> ALL (difference.removed)
            UNION SELECT role FROM unnest(difference.added) AS given (role) ORDER BY role
        )
        FROM (
            SELECT person_id,
                   coalesce(array_agg(role) FILTER (WHERE verdict = 'added'), '{}') AS added,
                   coalesce(array_agg(role) FILTER (WHERE verdict = 'removed'), '{}') AS removed
            FROM role_difference GROUP BY person_id
        ) AS difference
        WHERE kept.school_id = $1 AND kept.id = difference.person_id
        """,
        school_id,
    )


async def merge_classes(tx: Transaction, school_id: UUID, *, now: datetime) -> None:
    """Write the staged classes."""
    await tx.execute(
        """
        UPDATE class AS kept SET retired_at = $2 FROM staged_class AS staged
        WHERE kept.school_id = $1 AND kept.id = staged.id AND staged.verdict = 'retired'
        """,
        school_id,
        now,
    )
    await tx.execute(
        """
        UPDATE class AS kept SET name = staged.name, kind = staged.kind, school_year_id = staged.school_year_id,
            retired_at = NULL
        FROM staged_class AS staged
        WHERE kept.school_id = $1 AND kept.id = staged.id AND staged.verdict IN ('changed', 'returned')
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO class (school_id, id, school_year_id, source_id, name, kind)
        SELECT $1, id, school_year_id, source_id, name, kind FROM staged_class WHERE verdict = 'added'
        """,
        school_id,
    )


async def merge_guardianships(tx: Transaction, school_id: UUID) -> None:
    """Write who looks after whom."""
    await tx.execute(
        """
        DELETE FROM guardianship AS kept USING guardianship_difference AS gone
        WHERE kept.school_id = $1 AND kept.parent_id = gone.parent_id AND kept.child_id = gone.child_id
          AND gone.verdict = 'removed'
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO guardianship (school_id, parent_id, child_id)
        SELECT $1, parent_id, child_id FROM guardianship_difference WHERE verdict = 'added' ORDER BY parent_id
        """,
        school_id,
    )


async def merge_members(tx: Transaction, school_id: UUID) -> None:
    """Write who is in which class."""
    await tx.execute(
        """
        DELETE FROM class_member AS kept USING class_member_difference AS gone
        WHERE kept.school_id = $1 AND kept.class_id = gone.class_id AND kept.person_id = gone.person_id
          AND gone.verdict = 'removed'
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO class_member (school_id, class_id, person_id, role)
        SELECT $1, class_id, person_id, role FROM class_member_difference WHERE verdict = 'added'
        ORDER BY class_id, person_id
        ON CONFLICT (school_id, class_id, person_id) DO UPDATE SET role = excluded.role
        """,
        school_id,
    )


async def stage_pupil_classes(tx: Transaction, school_id: UUID) -> None:
    """Make `pupil_class` (person_id, class_id, class_name): the class of each pupil as it now is."""
    await tx.execute("CREATE TEMP TABLE pupil_class (person_id uuid, class_id uuid, class_name text) ON COMMIT DROP")
    await tx.execute(
        """
        INSERT INTO pupil_class
        SELECT member.person_id, class.id, class.name
        FROM class_member AS member
        JOIN class ON class.school_id = member.school_id AND class.id = member.class_id
        WHERE member.school_id = $1 AND member.role = 'pupil' AND class.kind = 'class' AND class.retired_at IS NULL
        """,
        school_id,
    )
    await tx.execute("ANALYZE pupil_class")


async def name_classes(tx: Transaction, school_id: UUID) -> None:
    """Write at each person the name of their class as `pupil_class` now has it, where another stands."""
    await tx.execute(
        """
        UPDATE person AS kept SET class_name = shown.class_name
        FROM (
            SELECT person.id, coalesce(min(pupil_class.class_name), '') AS class_name
            FROM person LEFT JOIN pupil_class ON pupil_class.person_id = person.id
            WHERE person.school_id = $1 GROUP BY person.id
        ) AS shown
        WHERE kept.school_id = $1 AND kept.id = shown.id AND kept.class_name <> shown.class_name
        """,
        school_id,
    )
