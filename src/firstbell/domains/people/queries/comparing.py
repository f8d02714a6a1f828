"""Statements that work out how a roster differs from what people keeps: staging tables, verdicts, a list of both.

Whoever brings a roster in fills the tables that `stage_people` makes; `compare_*` gives each row a verdict: added,
changed, retired, returned or same, for memberships added or removed. `merging` writes what differs.
"""

from uuid import UUID

from firstbell.kernel.db import Transaction


async def stage_people(tx: Transaction, school_id: UUID) -> None:
    """Make the temporary tables from which people are merged, all dropped with the transaction.

    - `known_school_year`, `known_person`, `known_class`: what the school has, by source id (null for a person who did
      not come by a roster).
    - `staged_school_year`, `staged_person`, `staged_class`: one row for each that a roster names, with the id it gets
      when it is new. `has_birth_date` and `replaces_roles` tell whether the roster knows them at all.
    - `staged_role`: roles of staged persons; `is_removed` takes one away from a person whose roles are not replaced.
    - `staged_named`: ids of known persons who are to be staged as they are, see `stage_named_people`.
    - `staged_relation`: pairs of persons who belong together, parent and child in either order.
    - `staged_guardianship_owner`: persons of whom all relations are staged.
    - `staged_class_member`: pairs of ids; a member without role is left as it is.
    - `staged_kept`: ids of persons, classes and courses that are left alone, whatever the rest says.
    """
    await tx.execute(
        """
        CREATE TEMP TABLE known_school_year (source_id text PRIMARY KEY, id uuid, starts_on date, ends_on date)
            ON COMMIT DROP;
        CREATE TEMP TABLE known_person (source_id text UNIQUE, id uuid, sign_in_key text, is_retired boolean)
            ON COMMIT DROP;
        CREATE TEMP TABLE known_class (source_id text PRIMARY KEY, id uuid, school_year_id uuid, is_retired boolean)
            ON COMMIT DROP;
        CREATE TEMP TABLE staged_school_year (
            source_id text PRIMARY KEY, id uuid NOT NULL, name text NOT NULL, starts_on date NOT NULL,
            ends_on date NOT NULL, verdict text NOT NULL DEFAULT 'added'
        ) ON COMMIT DROP;
        CREATE TEMP TABLE staged_person (
            source_id text PRIMARY KEY, id uuid NOT NULL, account_id uuid, sign_in_name text, given_name text,
            family_name text, email text, birth_date date, has_birth_date boolean NOT NULL DEFAULT false,
            replaces_roles boolean NOT NULL DEFAULT false, is_retired boolean NOT NULL,
            verdict text NOT NULL DEFAULT 'added'
        ) ON COMMIT DROP;
        CREATE TEMP TABLE staged_class (
            source_id text PRIMARY KEY, id uuid NOT NULL, school_year_id uuid, name text, kind text,
            is_retired boolean NOT NULL, verdict text NOT NULL DEFAULT 'added'
        ) ON COMMIT DROP;
        CREATE TEMP TABLE staged_role (person_id uuid, role text, is_removed boolean NOT NULL) ON COMMIT DROP;
        CREATE TEMP TABLE staged_named (id uuid) ON COMMIT DROP;
        CREATE TEMP TABLE staged_relation (person_id uuid, agent_id uuid) ON COMMIT DROP;
        CREATE TEMP TABLE staged_guardianship (parent_id uuid, child_id uuid, PRIMARY KEY (parent_id, child_id))
            ON COMMIT DROP;
        CREATE TEMP TABLE staged_guardianship_owner (person_id uuid PRIMARY KEY) ON COMMIT DROP;
        CREATE TEMP TABLE staged_class_member (
            class_id uuid, person_id uuid, role text, is_removed boolean NOT NULL
        ) ON COMMIT DROP;
        CREATE TEMP TABLE staged_kept (id uuid PRIMARY KEY) ON COMMIT DROP;
        CREATE TEMP TABLE role_difference (person_id uuid, role text, verdict text) ON COMMIT DROP;
        CREATE TEMP TABLE guardianship_difference (parent_id uuid, child_id uuid, verdict text) ON COMMIT DROP;
        CREATE TEMP TABLE class_member_difference (class_id uuid, person_id uuid, role text, verdict text)
            ON COMMIT DROP;
        """
    )
    await tx.execute(
        "INSERT INTO known_school_year SELECT source_id, id, starts_on, ends_on FROM school_year WHERE school_id = $1",
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO known_person SELECT source_id, id, sign_in_key, retired_at IS NOT NULL FROM person
        WHERE school_id = $1
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO known_class SELECT source_id, id, school_year_id, retired_at IS NOT NULL FROM class
        WHERE school_id = $1
        """,
        school_id,
    )
    await tx.execute("ANALYZE known_school_year; ANALYZE known_person; ANALYZE known_class")


async def compare_school_years(tx: Transaction, school_id: UUID) -> None:
    """Give each staged school year its verdict."""
    await tx.execute(
        """
        UPDATE staged_school_year AS staged SET verdict = CASE
            WHEN (staged.name, staged.starts_on, staged.ends_on)
                IS DISTINCT FROM (kept.name, kept.starts_on, kept.ends_on) THEN 'changed'
            ELSE 'same' END
        FROM school_year AS kept
        WHERE kept.school_id = $1 AND kept.id = staged.id
        """,
        school_id,
    )


async def stage_named_people(tx: Transaction, school_id: UUID) -> None:
    """Stage the persons of `staged_named` as they are, so that what else is said of them has a row to change."""
    await tx.execute(
        """
        INSERT INTO staged_person (source_id, id, account_id, sign_in_name, given_name, family_name, email, is_retired)
        SELECT source_id, id, account_id, sign_in_name, given_name, family_name, email, false FROM person
        WHERE school_id = $1 AND id IN (SELECT id FROM staged_named)
        """,
        school_id,
    )


async def compare_people(tx: Transaction, school_id: UUID, *, retires_missing: bool) -> None:
    """Give each staged person a verdict and work out which roles come and go.

    With `retires_missing`, persons that came by a roster and are not staged are staged as retired.
    """
    if retires_missing:
        await tx.execute(
            """
            INSERT INTO staged_person (source_id, id, is_retired)
            SELECT source_id, id, true FROM person AS kept
            WHERE school_id = $1 AND source_id IS NOT NULL AND retired_at IS NULL
              AND NOT EXISTS (SELECT FROM staged_person WHERE staged_person.source_id = kept.source_id)
              AND NOT EXISTS (SELECT FROM staged_kept WHERE staged_kept.id = kept.id)
            """,
            school_id,
        )
    await tx.execute(
        """
        UPDATE staged_person AS staged SET verdict = CASE
            WHEN staged.is_retired AND kept.retired_at IS NOT NULL THEN 'same'
            WHEN staged.is_retired THEN 'retired'
            WHEN kept.retired_at IS NOT NULL THEN 'returned'
            WHEN (staged.sign_in_name, staged.given_name, staged.family_name, staged.email)
                IS DISTINCT FROM (kept.sign_in_name, kept.given_name, kept.family_name, kept.email)
                OR (staged.has_birth_date AND staged.birth_date IS DISTINCT FROM kept.birth_date) THEN 'changed'
            ELSE 'same' END
        FROM person AS kept
        WHERE kept.school_id = $1 AND kept.id = staged.id
        """,
        school_id,
    )
    await tx.execute("ANALYZE staged_person; ANALYZE staged_role")
    await _compare_roles(tx, school_id)


async def _compare_roles(tx: Transaction, school_id: UUID) -> None:
    await tx.execute(
        """
        INSERT INTO role_difference
        SELECT DISTINCT staged.person_id, staged.role, 'added' FROM staged_role AS staged
        LEFT JOIN person AS kept ON kept.school_id = $1 AND kept.id = staged.person_id
        WHERE NOT staged.is_removed AND staged.role <> ALL (coalesce(kept.roles, '{}'))
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO role_difference
        SELECT kept.id, held.role, 'removed' FROM person AS kept CROSS JOIN unnest(kept.roles) AS held (role)
        JOIN staged_person AS staged ON staged.id = kept.id AND NOT staged.is_retired
        WHERE kept.school_id = $1
          AND (staged.replaces_roles OR EXISTS (
              SELECT FROM staged_role AS gone
              WHERE gone.person_id = kept.id AND gone.role = held.role AND gone.is_removed
          ))
          AND NOT EXISTS (
              SELECT FROM staged_role AS stays
              WHERE stays.person_id = kept.id AND stays.role = held.role AND NOT stays.is_removed
          )
          AND NOT (held.role = 'parent' AND EXISTS (
              SELECT FROM guardianship AS linked
              WHERE linked.school_id = $1 AND linked.parent_id = kept.id AND linked.linked_at IS NOT NULL
          ))
        """,
        school_id,
    )
    await tx.execute(
        """
        UPDATE staged_person AS staged SET verdict = 'changed'
        WHERE verdict = 'same' AND id IN (SELECT person_id FROM role_difference)
        """
    )


async def compare_classes(tx: Transaction, school_id: UUID, *, retires_missing: bool) -> None:
    """Give each staged class a verdict; with `retires_missing`, classes that are not staged are staged as retired."""
    if retires_missing:
        await tx.execute(
            """
            INSERT INTO staged_class (source_id, id, name, is_retired)
            SELECT source_id, id, name, true FROM class AS kept
            WHERE school_id = $1 AND retired_at IS NULL
              AND NOT EXISTS (SELECT FROM staged_class WHERE staged_class.source_id = kept.source_id)
              AND NOT EXISTS (SELECT FROM staged_kept WHERE staged_kept.id = kept.id)
            """,
            school_id,
        )
    await tx.execute(
        """
        UPDATE staged_class AS staged SET verdict = CASE
            WHEN staged.is_retired AND kept.retired_at IS NOT NULL THEN 'same'
            WHEN staged.is_retired THEN 'retired'
            WHEN kept.retired_at IS NOT NULL THEN 'returned'
            WHEN (staged.name, staged.kind, staged.school_year_id)
                IS DISTINCT FROM (kept.name, kept.kind, kept.school_year_id) THEN 'changed'
            ELSE 'same' END
        FROM class AS kept
        WHERE kept.school_id = $1 AND kept.id = staged.id
        """,
        school_id,
    )
    await tx.execute("ANALYZE staged_class")


async def compare_guardianships(tx: Transaction, school_id: UUID) -> None:
    """Work out which guardianships come: of a parent and a pupil; and which of the staged owners go.

    What a parent linked by a code stays, and so does the role that came with it.
    """
    await tx.execute(
        """
        WITH family_role AS (
            (
                SELECT person.id AS person_id, held.role FROM person CROSS JOIN unnest(person.roles) AS held (role)
                WHERE person.school_id = $1 AND held.role IN ('parent', 'pupil')
                EXCEPT SELECT person_id, role FROM role_difference WHERE verdict = 'removed'
            ) UNION SELECT person_id, role FROM role_difference WHERE verdict = 'added' AND role IN ('parent', 'pupil')
        )
        INSERT INTO staged_guardianship
        SELECT parent.person_id, child.person_id
        FROM (
            SELECT person_id AS one_id, agent_id AS other_id FROM staged_relation
            UNION
            SELECT agent_id, person_id FROM staged_relation
        ) AS relation
        JOIN family_role AS parent ON parent.person_id = relation.one_id AND parent.role = 'parent'
        JOIN family_role AS child ON child.person_id = relation.other_id AND child.role = 'pupil'
        WHERE relation.one_id <> relation.other_id
        """,
        school_id,
    )
    await tx.execute("ANALYZE staged_guardianship; ANALYZE staged_guardianship_owner")
    await tx.execute(
        """
        INSERT INTO guardianship_difference
        SELECT parent_id, child_id, 'added' FROM staged_guardianship AS staged
        WHERE NOT EXISTS (
            SELECT FROM guardianship AS kept
            WHERE kept.school_id = $1 AND kept.parent_id = staged.parent_id AND kept.child_id = staged.child_id
        )
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO guardianship_difference
        SELECT parent_id, child_id, 'removed' FROM guardianship AS kept
        WHERE school_id = $1 AND linked_at IS NULL
          AND NOT EXISTS (
              SELECT FROM staged_guardianship AS staged
              WHERE staged.parent_id = kept.parent_id AND staged.child_id = kept.child_id
          )
          AND EXISTS (SELECT FROM staged_guardianship_owner WHERE person_id IN (kept.parent_id, kept.child_id))
          AND NOT EXISTS (SELECT FROM staged_kept WHERE id IN (kept.parent_id, kept.child_id))
        """,
        school_id,
    )


async def compare_members(tx: Transaction, school_id: UUID, *, removes_missing: bool) -> None:
    """Work out which memberships of classes come and go; retired classes and people have none."""
    await tx.execute("ANALYZE staged_class_member")
    await tx.execute(
        """
        INSERT INTO class_member_difference
        SELECT staged.class_id, staged.person_id, staged.role, 'added' FROM staged_class_member AS staged
        LEFT JOIN class_member AS kept ON kept.school_id = $1 AND kept.class_id = staged.class_id
            AND kept.person_id = staged.person_id
        WHERE staged.role IS NOT NULL AND NOT staged.is_removed AND kept.role IS DISTINCT FROM staged.role
        """,
        school_id,
    )
    await tx.execute(
        """
        INSERT INTO class_member_difference
        SELECT kept.class_id, kept.person_id, kept.role, 'removed' FROM class_member AS kept
        LEFT JOIN staged_class_member AS staged ON staged.class_id = kept.class_id
            AND staged.person_id = kept.person_id
        WHERE kept.school_id = $1 AND (
            staged.is_removed
            OR EXISTS (SELECT FROM staged_class WHERE id = kept.class_id AND is_retired)
            OR EXISTS (SELECT FROM staged_person WHERE id = kept.person_id AND is_retired)
            OR ($2 AND staged.class_id IS NULL
                AND NOT EXISTS (SELECT FROM staged_kept WHERE id IN (kept.class_id, kept.person_id)))
        )
        """,
        school_id,
        removes_missing,
    )


async def count_differences(tx: Transaction) -> list[tuple[str, str, int]]:
    """What differs, by kind and verdict."""
    rows = await tx.fetch(
        """
        SELECT 'school year' AS kind, verdict, count(*) AS count FROM staged_school_year GROUP BY verdict
        UNION ALL SELECT 'person', verdict, count(*) FROM staged_person GROUP BY verdict
        UNION ALL SELECT 'parent of child', verdict, count(*) FROM guardianship_difference GROUP BY verdict
        UNION ALL SELECT 'class', verdict, count(*) FROM staged_class GROUP BY verdict
        UNION ALL SELECT 'member of class', verdict, count(*) FROM class_member_difference GROUP BY verdict
        """
    )
    return [(row["kind"], row["verdict"], row["count"]) for row in rows]


async def open_differences(tx: Transaction) -> None:
    """Begin to read what differs from the school that may be written: years, people, classes, families, members."""
    await tx.execute(
        """
        DECLARE people_difference NO SCROLL CURSOR FOR
        WITH named AS (
            SELECT id, given_name || ' ' || family_name || ' (' || sign_in_name || ')' AS name
            FROM staged_person WHERE sign_in_name IS NOT NULL
            UNION ALL
            SELECT id, given_name || ' ' || family_name || ' (' || sign_in_name || ')' FROM person
            WHERE school_id = (SELECT writable_school())
              AND id NOT IN (SELECT id FROM staged_person WHERE sign_in_name IS NOT NULL)
        ), class_named AS (
            SELECT id, name FROM staged_class WHERE name IS NOT NULL
            UNION ALL
            SELECT id, name FROM class WHERE school_id = (SELECT writable_school())
              AND id NOT IN (SELECT id FROM staged_class WHERE name IS NOT NULL)
        )
        SELECT 'school year' AS kind, verdict, name, 1 AS place FROM staged_school_year WHERE verdict <> 'same'
        UNION ALL
        SELECT 'person', verdict, name, 2 FROM staged_person JOIN named USING (id) WHERE verdict <> 'same'
        UNION ALL
        SELECT 'class', verdict, class_named.name, 3 FROM staged_class JOIN class_named USING (id)
        WHERE verdict <> 'same'
        UNION ALL
        SELECT 'parent of child', verdict, parent.name || ' of ' || child.name, 4 FROM guardianship_difference
        JOIN named AS parent ON parent.id = parent_id JOIN named AS child ON child.id = child_id
        UNION ALL
        SELECT 'member of class', verdict, named.name || ' in ' || class_named.name, 5 FROM class_member_difference
        JOIN named ON named.id = person_id JOIN class_named ON class_named.id = class_id
        ORDER BY place, verdict, name
        """
    )


async def next_differences(tx: Transaction) -> list[tuple[str, str, str]]:
    """At most 1,000 further differences: kind, verdict, name."""
    rows = await tx.fetch("FETCH 1000 FROM people_difference")
    return [(row["kind"], row["verdict"], row["name"]) for row in rows]


async def list_changed_people(tx: Transaction) -> list[UUID]:
    """Who has other rights than before by what was merged: open sessions must hear of it."""
    rows = await tx.fetch(
        """
        SELECT id FROM staged_person WHERE verdict IN ('retired', 'returned')
        UNION
        SELECT role_difference.person_id FROM role_difference
        JOIN staged_person ON staged_person.id = role_difference.person_id AND staged_person.verdict <> 'added'
        """
    )
    return [row["id"] for row in rows]
