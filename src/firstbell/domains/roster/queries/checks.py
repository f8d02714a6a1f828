"""What is wrong with the files as a whole: rows that are there twice, lead nowhere or in a circle, or contradict."""

from typing import Any

from firstbell.domains.roster.model import LEVELS_MAX
from firstbell.domains.roster.queries.staging import FILE_OF, filled
from firstbell.kernel.db import Transaction


async def reject_duplicates(tx: Transaction, table: str) -> None:
    """Reject the rows whose sourcedId an earlier row of the file has."""
    await tx.execute(
        filled(
            """
        WITH twice AS (
            SELECT source_id, min(line) AS first_line FROM {table} WHERE source_id <> ''
            GROUP BY source_id HAVING count(*) > 1
        ), flawed AS (
            UPDATE {table} AS this SET is_rejected = true FROM twice
            WHERE this.source_id = twice.source_id AND this.line > twice.first_line AND NOT this.is_rejected
            RETURNING this.line, twice.first_line
        )
        INSERT INTO roster_rejection
        SELECT '{file}', line, 'sourcedId', 'is the same as in line ' || first_line FROM flawed
        """,
            table=table,
            file=FILE_OF[table],
        )
    )


async def reject_dangling(
    tx: Transaction, table: str, column: str, reference: str, target: str, *, known: str | None = None
) -> None:
    """Reject rows whose `reference` (`column` in the file) names no accepted row of `target` and none in `known`."""
    is_known = f"EXISTS (SELECT FROM {known} WHERE source_id = this.{reference})" if known else "false"
    await reject(
        tx,
        table,
        column,
        filled(
            """
        this.{reference} IS NOT NULL AND NOT {is_known} AND NOT EXISTS (
            SELECT FROM {target} AS named WHERE named.source_id = this.{reference} AND NOT named.is_rejected
        )
        """,
            reference=reference,
            is_known=is_known,
            target=target,
        ),
        _dangling_reason(f"this.{reference}", target),
    )


async def reject_dangling_in_list(
    tx: Transaction, table: str, column: str, references: str, target: str, *, accepts_rejected: bool = False
) -> None:
    """As `reject_dangling`, for a column that holds several ids; `accepts_rejected` when a rejected row will do."""
    is_accepted = "true" if accepts_rejected else "NOT named.is_rejected"
    missing = filled(
        """
        SELECT item FROM unnest(this.{references}) AS item WHERE NOT EXISTS (
            SELECT FROM {target} AS named WHERE named.source_id = item AND {is_accepted}
        ) LIMIT 1
    """,
        references=references,
        target=target,
        is_accepted=is_accepted,
    )
    await reject(
        tx,
        table,
        column,
        filled(
            """
        this.line IN (
            SELECT held.line FROM {table} AS held CROSS JOIN LATERAL unnest(held.{references}) AS item
            LEFT JOIN {target} AS named ON named.source_id = item AND {is_accepted}
            WHERE named.source_id IS NULL
        )
        """,
            table=table,
            references=references,
            target=target,
            is_accepted=is_accepted,
        ),
        _dangling_reason(f"({missing})", target),
    )


async def reject_cycles(tx: Transaction, table: str, *, is_whole: bool) -> None:
    """Give every row the level of its parent plus one, and reject those that never get one.

    A parent that is not in the file counts as the top unless the file `is_whole`.
    """
    if is_whole:
        for _ in range(LEVELS_MAX):
            if not await _reject_orphans(tx, table):
                break
    for level in range(LEVELS_MAX):
        found = await tx.execute(
            filled(
                """
            UPDATE {table} AS this SET level = $1 WHERE level IS NULL AND NOT is_rejected AND (
                parent_source_id IS NULL
                OR EXISTS (SELECT FROM {table} WHERE source_id = this.parent_source_id AND level = $1 - 1)
                OR NOT EXISTS (SELECT FROM {table} WHERE source_id = this.parent_source_id AND NOT is_rejected)
            )
            """,
                table=table,
            ),
            level,
        )
        if not found:
            break
    await reject(
        tx, table, "parentSourcedId", "level IS NULL", f"'leads in a circle, or through more than {LEVELS_MAX} levels'"
    )


async def _reject_orphans(tx: Transaction, table: str) -> int:
    return await reject(
        tx,
        table,
        "parentSourcedId",
        filled(
            """
        this.parent_source_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM {table} AS named WHERE named.source_id = this.parent_source_id AND NOT named.is_rejected
        )
        """,
            table=table,
        ),
        _dangling_reason("this.parent_source_id", table),
    )


async def list_school_orgs(tx: Transaction, most: int) -> list[tuple[str, str]]:
    """At most `most` accepted schools of the files: sourcedId and name."""
    rows = await tx.fetch(
        """
        SELECT source_id, name FROM roster_org
        WHERE kind = 'school' AND NOT is_rejected AND NOT is_deleted ORDER BY line LIMIT $1
        """,
        most,
    )
    return [(row["source_id"], row["name"]) for row in rows]


async def find_school_orgs(tx: Transaction, name: str) -> list[tuple[str, str]]:
    """The accepted schools with this sourcedId or identifier: sourcedId and name."""
    rows = await tx.fetch(
        """
        SELECT source_id, name FROM roster_org
        WHERE kind = 'school' AND NOT is_rejected AND NOT is_deleted
          AND lower($1) IN (lower(source_id), lower(identifier))
        LIMIT 2
        """,
        name,
    )
    return [(row["source_id"], row["name"]) for row in rows]


async def has_other_schools(tx: Transaction, org_source_id: str) -> bool:
    """True when the files name another school beside this one."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM roster_org WHERE kind = 'school' AND NOT is_deleted AND source_id <> $1)",
        org_source_id,
    )
    return found


async def leave_other_schools_out(tx: Transaction, org_source_id: str) -> int:
    """Mark what belongs to other schools than this one as outside; how many people that are.

    What stands above or below the school is its own.
    """
    await tx.execute("UPDATE roster_org SET is_ours = true WHERE source_id = $1 AND NOT is_rejected", org_source_id)
    for relation in ("this.parent_source_id = ours.source_id", "ours.parent_source_id = this.source_id"):
        await tx.execute(
            filled(
                """
            WITH RECURSIVE ours (source_id, parent_source_id, step) AS (
                SELECT source_id, parent_source_id, 0 FROM roster_org WHERE source_id = $1 AND NOT is_rejected
                UNION ALL
                SELECT this.source_id, this.parent_source_id, step + 1 FROM roster_org AS this JOIN ours ON {relation}
                WHERE step < {levels_max} AND NOT this.is_rejected
            )
            UPDATE roster_org SET is_ours = true FROM ours WHERE ours.source_id = roster_org.source_id
            """,
                relation=relation,
                levels_max=str(LEVELS_MAX),
            ),
            org_source_id,
        )
    for table, org in (
        ("roster_role", "org_source_id"),
        ("roster_course", "org_source_id"),
        ("roster_class", "school_source_id"),
        ("roster_enrolment", "school_source_id"),
    ):
        await tx.execute(
            filled(
                """
            UPDATE {table} AS this SET is_outside = true
            WHERE NOT is_rejected AND EXISTS (SELECT FROM roster_org WHERE source_id = this.{org} AND NOT is_ours)
            """,
                table=table,
                org=org,
            )
        )
    await tx.execute(
        """
        UPDATE roster_user AS this SET is_outside = true
        WHERE NOT is_rejected AND cardinality(org_source_ids) > 0 AND NOT EXISTS (
            SELECT FROM roster_org WHERE source_id = ANY (this.org_source_ids) AND is_ours
        )
        """
    )
    await tx.execute(
        """
        UPDATE roster_user AS this SET is_outside = true
        WHERE EXISTS (SELECT FROM roster_role WHERE user_source_id = this.source_id AND is_outside)
          AND NOT EXISTS (SELECT FROM roster_role WHERE user_source_id = this.source_id AND NOT is_outside)
        """
    )
    for table, user in (("roster_demographic", "source_id"), ("roster_profile", "user_source_id")):
        await tx.execute(
            filled(
                """
            UPDATE {table} AS this SET is_outside = true
            FROM roster_user AS person WHERE person.source_id = this.{user} AND person.is_outside
            """,
                table=table,
                user=user,
            )
        )
    people: int = await tx.fetchval("SELECT count(*) FROM roster_user WHERE is_outside")
    return people


async def reject_unknown_agents(tx: Transaction, *, is_whole: bool) -> None:
    """Reject users with an agent who is nobody; a delta may name whoever the school has."""
    if is_whole:
        await reject_dangling_in_list(
            tx, "roster_user", "agentSourcedIds", "agent_source_ids", "roster_user", accepts_rejected=True
        )
        return
    await reject(
        tx,
        "roster_user",
        "agentSourcedIds",
        """
        EXISTS (
            SELECT FROM unnest(this.agent_source_ids) AS item
            WHERE NOT EXISTS (SELECT FROM roster_user AS named WHERE named.source_id = item)
              AND NOT EXISTS (SELECT FROM known_person WHERE source_id = item)
        )
        """,
        "'names nobody: ' || left(array_to_string(this.agent_source_ids, ', '), 80)",
    )


async def name_lost_agents(tx: Transaction) -> None:
    """Name the links to persons whose own row is rejected: the link falls, the person who has it does not."""
    await tx.execute(
        """
        INSERT INTO roster_rejection
        SELECT 'users', held.line, 'agentSourcedIds',
               'the link to ' || left(item, 40) || ' depends on a rejected row of users.csv'
        FROM roster_user AS held CROSS JOIN LATERAL unnest(held.agent_source_ids) AS item
        WHERE NOT held.is_rejected AND NOT held.is_deleted
          AND EXISTS (SELECT FROM roster_user AS named WHERE named.source_id = item AND named.is_rejected)
          AND NOT EXISTS (SELECT FROM roster_user AS named WHERE named.source_id = item AND NOT named.is_rejected)
        """
    )


async def spread_roles_of_users(tx: Transaction) -> None:
    """Version 1.1 says a user's role in users.csv: give it a row as version 1.2 has it."""
    await tx.execute(
        """
        INSERT INTO roster_role (line, source_id, is_deleted, is_rejected, user_source_id, role)
        SELECT line, source_id, false, is_rejected, source_id, role FROM roster_user WHERE NOT is_outside
        """
    )
    await tx.execute("ANALYZE roster_role")


async def stage_overrides(tx: Transaction) -> list[str]:
    """Let the mapping file's roles take the place of those in the files; the keys that are nobody's."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT key FROM roster_override
        WHERE NOT EXISTS (SELECT FROM roster_user WHERE key IN (source_id, identifier)) ORDER BY key LIMIT 20
        """
    )
    await tx.execute(
        """
        UPDATE roster_role AS this SET is_outside = true FROM roster_user AS person
        WHERE person.source_id = this.user_source_id
          AND EXISTS (SELECT FROM roster_override WHERE key IN (person.source_id, person.identifier))
        """
    )
    await tx.execute(
        """
        INSERT INTO roster_role (line, source_id, is_deleted, is_rejected, user_source_id, role)
        SELECT DISTINCT 0, person.source_id, false, false, person.source_id, roster_override.role
        FROM roster_override JOIN roster_user AS person ON key IN (person.source_id, person.identifier)
        WHERE NOT person.is_rejected
        """
    )
    return [row["key"] for row in rows]


async def reject_people_without_role(tx: Transaction, *, is_whole: bool) -> None:
    """Reject users of whom no row says who they are here. In a delta, those whom the school has keep their roles."""
    has_known = "false" if is_whole else "EXISTS (SELECT FROM known_person WHERE source_id = this.source_id)"
    await reject(
        tx,
        "roster_user",
        "sourcedId",
        filled(
            """
        NOT {has_known} AND NOT EXISTS (
            SELECT FROM roster_role AS named WHERE named.user_source_id = this.source_id AND NOT named.is_rejected
        )
        """,
            has_known=has_known,
        ),
        """
        CASE WHEN EXISTS (SELECT FROM roster_role AS named WHERE named.user_source_id = this.source_id)
        THEN 'depends on a rejected row of roles.csv' ELSE 'has no role in roles.csv' END
        """,
    )


async def reject_taken_sign_in_names(tx: Transaction, *, is_whole: bool) -> int:
    """Reject users whose sign-in name an earlier row has, or somebody in the school who keeps it; how many."""
    await tx.execute("DROP TABLE IF EXISTS roster_sign_in_name")
    await tx.execute(
        """
        CREATE TEMP TABLE roster_sign_in_name ON COMMIT DROP AS
        SELECT lower(sign_in_name) AS key, min(line) AS line FROM roster_user
        WHERE NOT is_rejected AND NOT is_outside AND NOT is_deleted AND is_enabled
        GROUP BY lower(sign_in_name)
        """
    )
    await tx.execute("ANALYZE roster_sign_in_name")
    twice = await reject(
        tx,
        "roster_user",
        "username",
        """
        is_enabled AND EXISTS (
            SELECT FROM roster_sign_in_name AS taken
            WHERE taken.key = lower(this.sign_in_name) AND taken.line < this.line
        )
        """,
        """
        'is the same as in line '
            || (SELECT line FROM roster_sign_in_name AS taken WHERE taken.key = lower(this.sign_in_name))
        """,
    )
    kept = await reject(
        tx,
        "roster_user",
        "username",
        """
        is_enabled AND EXISTS (
            SELECT FROM known_person AS kept
            WHERE kept.sign_in_key = lower(this.sign_in_name) AND NOT kept.is_retired
              AND kept.source_id IS DISTINCT FROM this.source_id
              AND NOT EXISTS (
                  SELECT FROM roster_user AS named WHERE named.source_id = kept.source_id AND NOT named.is_rejected
              )
              AND (NOT $1 OR kept.source_id IS NULL
                   OR EXISTS (SELECT FROM roster_user AS named WHERE named.source_id = kept.source_id))
        )
        """,
        "'is the sign-in name of somebody else in the school'",
        is_whole,
    )
    return twice + kept


async def reject_outsiders(tx: Transaction) -> None:
    """Reject enrolments of people who belong to another school of the files."""
    await reject(
        tx,
        "roster_enrolment",
        "userSourcedId",
        "EXISTS (SELECT FROM roster_user AS person WHERE person.source_id = this.user_source_id AND person.is_outside)",
        "'names a person of another school: ' || left(this.user_source_id, 40)",
    )


async def reject(tx: Transaction, table: str, column: str, condition: str, reason: str, *parameters: Any) -> int:
    """Reject the rows (`this`) for which `condition` holds; how many. Deleted rows need no more than their id."""
    return await tx.execute(
        filled(
            """
        WITH flawed AS (
            UPDATE {table} AS this SET is_rejected = true
            WHERE NOT is_rejected AND NOT is_outside AND NOT is_deleted AND ({condition})
            RETURNING line, {reason} AS reason
        )
        INSERT INTO roster_rejection SELECT '{file}', line, '{column}', reason FROM flawed
        """,
            table=table,
            condition=condition,
            reason=reason,
            file=FILE_OF[table],
            column=column,
        ),
        *parameters,
    )


def _dangling_reason(reference: str, target: str) -> str:
    return filled(
        """
        CASE WHEN EXISTS (SELECT FROM {target} WHERE source_id = {reference})
        THEN 'depends on a rejected row of {target_file}.csv: '
        ELSE 'names nothing in {target_file}.csv: ' END || left({reference}, 40)
    """,
        target=target,
        reference=reference,
        target_file=FILE_OF[target],
    )
