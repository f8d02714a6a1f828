"""Statements on folders, documents and blobs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.kernel.db import Transaction


async def add_roots(tx: Transaction, school_id: UUID, roots: Sequence[tuple[UUID, str]], at: datetime) -> None:
    """Insert root folders, each an id and the name of its holder."""
    await tx.execute(
        """
        INSERT INTO folder (school_id, id, root_id, name, created_at)
        SELECT $1, root.id, root.id, root.name, $4 FROM unnest($2::uuid[], $3::text[]) AS root (id, name)
        """,
        school_id,
        [root_id for root_id, _ in roots],
        [name for _, name in roots],
        at,
    )
