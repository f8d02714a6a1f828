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
    await tx.execute(
        "INSERT INTO account (id) SELECT account_id FROM staged_person WHERE verdict = 'added' ORDER BY account_id"
    )
    await tx.execute(
        """
        INSERT INTO person (school_id, id, account_id, source_id, sign_in_name, given_name, family_name, email,
                            birth_date)
        SELECT $1, id, account_id, source_id, sign_in_name, given_name, family_name, email, birth_date
        FROM staged_person WHERE verdict = 'added' ORDER BY id
        """,
        school_id,
    )
    await _merge_roles(tx, school_id)


async def _merge_roles(tx: Transaction, school_id: UUID) -> None:
    await tx.execute(
        """
        DELETE FROM person_role AS kept USING role_difference AS gone
        WHERE kept.school_id = $1 AND kept.person_id = gone.person_id AND kept.role = gone.role
          AND gone.verdict = 'removed'
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO person_role (school_id, person_id, role)
        SELECT $1, person_id, role FROM role_difference WHERE verdict = 'added' ORDER BY person_id
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
