"""Statements on schools and their host names."""

from collections.abc import Sequence
from uuid import UUID

from firstbell.domains.people.model import (
    Role,
    School,
)
from firstbell.kernel.db import Transaction


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


async def count_people(tx: Transaction) -> dict[UUID, dict[Role, int]]:
    """How many people of each role each school of the installation has."""
    counts: dict[UUID, dict[Role, int]] = {}
    for row in await tx.fetch("SELECT school_id, role, people FROM count_people()"):
        counts.setdefault(row["school_id"], {})[Role(row["role"])] = row["people"]
    return counts


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
