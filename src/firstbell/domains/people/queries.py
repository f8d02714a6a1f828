"""Statements on schools, accounts, persons, classes, families and sessions."""

from firstbell.domains.people.model import School
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
