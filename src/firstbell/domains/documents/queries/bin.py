"""Statements on what was deleted: into the bin, out of it, and gone for good."""

from datetime import datetime
from uuid import UUID

from firstbell.domains.documents.model import BinEntry, Document, Folder, Tree
from firstbell.domains.documents.queries.documents import document_in
from firstbell.kernel.db import Transaction


async def delete_document(tx: Transaction, school_id: UUID, document_id: UUID, by: UUID, at: datetime) -> None:
    """Put a document in the bin."""
    await tx.execute(
        "UPDATE document SET deleted_at = $3, deleted_by = $4 WHERE school_id = $1 AND id = $2",
        school_id,
        document_id,
        at,
        by,
    )


async def delete_folder(tx: Transaction, school_id: UUID, folder_id: UUID, by: UUID, at: datetime) -> None:
    """Put a folder and all in it in the bin; what was there already keeps its own time."""
    await tx.execute(
        """
        WITH RECURSIVE inside AS (
            SELECT id FROM folder WHERE school_id = $1 AND id = $2
            UNION ALL
            SELECT folder.id FROM inside JOIN folder ON folder.school_id = $1 AND folder.parent_id = inside.id
            WHERE folder.deleted_at IS NULL
        ), documents AS (
            UPDATE document SET deleted_at = $3, deleted_by = $4
            WHERE school_id = $1 AND folder_id IN (SELECT id FROM inside) AND deleted_at IS NULL
        )
        UPDATE folder SET deleted_at = $3, deleted_by = $4
        WHERE school_id = $1 AND id IN (SELECT id FROM inside)
        """,
        school_id,
        folder_id,
        at,
        by,
    )


async def list_bin(tx: Transaction, school_id: UUID, root_id: UUID, limit: int) -> list[BinEntry]:
    """What went into the bin from a tree, the newest first; what went with its folder is not named apart."""
    rows = await tx.fetch(
        """
        SELECT gone.id, gone.is_folder, gone.name, gone.media_type, gone.deleted_at
        FROM (
            SELECT id, true AS is_folder, name, NULL AS media_type, deleted_at, parent_id AS above FROM folder
            WHERE school_id = $1 AND root_id = $2 AND deleted_at IS NOT NULL
            UNION ALL
            SELECT id, false, name, media_type, deleted_at, folder_id FROM document
            WHERE school_id = $1 AND root_id = $2 AND deleted_at IS NOT NULL
        ) AS gone
        JOIN folder AS above ON above.school_id = $1 AND above.id = gone.above
        WHERE above.deleted_at IS DISTINCT FROM gone.deleted_at
        ORDER BY gone.deleted_at DESC, gone.id LIMIT $3
        """,
        school_id,
        root_id,
        limit,
    )
    return [BinEntry(row["id"], row["is_folder"], row["name"], row["media_type"], row["deleted_at"]) for row in rows]


async def find_in_bin(tx: Transaction, tree: Tree, entry_id: UUID) -> BinEntry | None:
    """A document or a folder of a tree that is in the bin."""
    row = await tx.fetchrow(
        """
        SELECT id, true AS is_folder, name, NULL AS media_type, deleted_at FROM folder
        WHERE school_id = $1 AND root_id = $2 AND id = $3 AND deleted_at IS NOT NULL
        UNION ALL
        SELECT id, false, name, media_type, deleted_at FROM document
        WHERE school_id = $1 AND root_id = $2 AND id = $3 AND deleted_at IS NOT NULL
        """,
        tree.school_id,
        tree.root_id,
        entry_id,
    )
    return None if row is None else BinEntry(**row)


async def find_deleted_document(tx: Transaction, school_id: UUID, root_id: UUID, document_id: UUID) -> Document | None:
    """A document of a tree that is in the bin."""
    row = await tx.fetchrow(
        """
        SELECT id, root_id, folder_id, name, media_type, sha256, size_bytes, added_at, added_by
        FROM document
        WHERE school_id = $1 AND root_id = $2 AND id = $3 AND deleted_at IS NOT NULL
        """,
        school_id,
        root_id,
        document_id,
    )
    return None if row is None else document_in(row)


async def find_deleted_folder(tx: Transaction, school_id: UUID, root_id: UUID, folder_id: UUID) -> Folder | None:
    """A folder of a tree that is in the bin."""
    row = await tx.fetchrow(
        """
        SELECT id, parent_id, name FROM folder
        WHERE school_id = $1 AND root_id = $2 AND id = $3 AND deleted_at IS NOT NULL
        """,
        school_id,
        root_id,
        folder_id,
    )
    return None if row is None else Folder(row["id"], row["parent_id"], row["name"])


async def restore_document(tx: Transaction, school_id: UUID, document_id: UUID, name: str, folder_id: UUID) -> None:
    """Take a document out of the bin into a folder."""
    await tx.execute(
        """
        UPDATE document SET deleted_at = NULL, deleted_by = NULL, name = $3, folder_id = $4
        WHERE school_id = $1 AND id = $2
        """,
        school_id,
        document_id,
        name,
        folder_id,
    )


async def restore_folder(tx: Transaction, school_id: UUID, folder_id: UUID, name: str, parent_id: UUID) -> None:
    """Take a folder out of the bin into another, with all that went with it."""
    await tx.execute(
        """
        WITH RECURSIVE inside AS (
            SELECT id, deleted_at FROM folder WHERE school_id = $1 AND id = $2
            UNION ALL
            SELECT folder.id, folder.deleted_at
            FROM inside JOIN folder ON folder.school_id = $1 AND folder.parent_id = inside.id
            WHERE folder.deleted_at = inside.deleted_at
        ), documents AS (
            UPDATE document SET deleted_at = NULL, deleted_by = NULL
            FROM inside
            WHERE document.school_id = $1 AND document.folder_id = inside.id
              AND document.deleted_at = inside.deleted_at
        )
        UPDATE folder SET deleted_at = NULL, deleted_by = NULL,
            name = CASE WHEN id = $2 THEN $3 ELSE name END,
            parent_id = CASE WHEN id = $2 THEN $4 ELSE parent_id END
        WHERE school_id = $1 AND id IN (SELECT id FROM inside)
        """,
        school_id,
        folder_id,
        name,
        parent_id,
    )


async def purge_documents(tx: Transaction, school_id: UUID, before: datetime, limit: int) -> int:
    """Remove documents that have been in the bin since `before`; how many."""
    return await tx.execute(
        """
        DELETE FROM document WHERE school_id = $1 AND id IN (
            SELECT id FROM document WHERE school_id = $1 AND deleted_at < $2 ORDER BY deleted_at LIMIT $3
        )
        """,
        school_id,
        before,
        limit,
    )


async def purge_folders(tx: Transaction, school_id: UUID, before: datetime, limit: int) -> int:
    """Remove empty folders that have been in the bin since `before`; how many."""
    return await tx.execute(
        """
        DELETE FROM folder WHERE school_id = $1 AND id IN (
            SELECT id FROM folder AS old
            WHERE school_id = $1 AND deleted_at < $2
              AND NOT EXISTS (SELECT FROM folder WHERE school_id = $1 AND parent_id = old.id)
              AND NOT EXISTS (SELECT FROM document WHERE school_id = $1 AND folder_id = old.id)
            ORDER BY deleted_at LIMIT $3
        )
        """,
        school_id,
        before,
        limit,
    )
