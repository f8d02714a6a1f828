"""Statements on blobs: which bytes a school keeps, and which nobody wants any more."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.kernel.db import Transaction


async def claim_blobs(tx: Transaction, school_id: UUID, blobs: Sequence[tuple[bytes, int]], at: datetime) -> None:
    """Say that these blobs (SHA-256 and size) are wanted: waits for a removal under way, and keeps off the next.

    In the order of their names, so that two uploads of the same files never wait for each other.
    """
    ordered = sorted(set(blobs))
    await tx.execute(
        """
        INSERT INTO blob (school_id, sha256, size_bytes, stored_at)
        SELECT $1, wanted.sha256, wanted.size_bytes, $4
        FROM unnest($2::bytea[], $3::bigint[]) AS wanted (sha256, size_bytes)
        ON CONFLICT (school_id, sha256) DO UPDATE SET unreferenced_at = NULL
        """,
        school_id,
        [sha256 for sha256, _ in ordered],
        [size_bytes for _, size_bytes in ordered],
        at,
    )


async def note_unreferenced_blobs(tx: Transaction, school_id: UUID, at: datetime) -> int:
    """Write down which blobs no document has any more; how many are new among them."""
    return await tx.execute(
        """
        UPDATE blob SET unreferenced_at = $2
        WHERE school_id = $1 AND unreferenced_at IS NULL
          AND NOT EXISTS (SELECT FROM document WHERE school_id = $1 AND document.sha256 = blob.sha256)
        """,
        school_id,
        at,
    )


async def list_unreferenced_blobs(tx: Transaction, school_id: UUID, before: datetime, limit: int) -> list[bytes]:
    """The blobs that no document had at `before`."""
    rows = await tx.fetch(
        "SELECT sha256 FROM blob WHERE school_id = $1 AND unreferenced_at < $2 ORDER BY unreferenced_at LIMIT $3",
        school_id,
        before,
        limit,
    )
    return [row["sha256"] for row in rows]


async def remove_blob(tx: Transaction, school_id: UUID, sha256: bytes, before: datetime) -> bool:
    """Remove a blob that is still not wanted; uploads of the same bytes wait until this transaction ends."""
    removed = await tx.execute(
        """
        DELETE FROM blob WHERE school_id = $1 AND sha256 = $2 AND unreferenced_at < $3
          AND NOT EXISTS (SELECT FROM document WHERE school_id = $1 AND document.sha256 = blob.sha256)
        """,
        school_id,
        sha256,
        before,
    )
    return removed > 0
