"""Statements on folders, documents and blobs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.domains.documents.model import BinEntry, Document, Folder, FolderEntry, NewDocument, Tree
from firstbell.kernel.db import Row, Transaction


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


async def lock_tree(tx: Transaction, school_id: UUID, root_id: UUID) -> bool:
    """Hold the tree under `root_id` until the transaction ends; False when there is none."""
    return (
        await tx.fetchval(
            "SELECT true FROM folder WHERE school_id = $1 AND id = $2 FOR NO KEY UPDATE", school_id, root_id
        )
        is not None
    )


async def list_path(tx: Transaction, school_id: UUID, root_id: UUID, folder_id: UUID) -> list[Folder]:
    """The folders from the root to `folder_id`; none when it is not in this tree or in the bin."""
    rows = await tx.fetch(
        """
        WITH RECURSIVE path AS (
            SELECT id, parent_id, name, 0 AS height FROM folder
            WHERE school_id = $1 AND root_id = $2 AND id = $3 AND deleted_at IS NULL
            UNION ALL
            SELECT folder.id, folder.parent_id, folder.name, path.height + 1
            FROM path JOIN folder ON folder.school_id = $1 AND folder.id = path.parent_id
        )
        SELECT id, parent_id, name FROM path ORDER BY height DESC
        """,
        school_id,
        root_id,
        folder_id,
    )
    return [Folder(row["id"], row["parent_id"], row["name"]) for row in rows]


async def list_tree(tx: Transaction, school_id: UUID, root_id: UUID) -> list[Folder]:
    """Every folder of a tree that is not in the bin."""
    rows = await tx.fetch(
        "SELECT id, parent_id, name FROM folder WHERE school_id = $1 AND root_id = $2 AND deleted_at IS NULL",
        school_id,
        root_id,
    )
    return [Folder(row["id"], row["parent_id"], row["name"]) for row in rows]


async def list_folders(tx: Transaction, school_id: UUID, parent_id: UUID, *, counted: bool) -> list[FolderEntry]:
    """The folders in a folder; what is in them is looked at only for `counted`."""
    rows = await tx.fetch(
        """
        SELECT folder.id, folder.name, inside.count, inside.newest_name, inside.newest_at
        FROM folder CROSS JOIN LATERAL (
            SELECT count(*) AS count, max(added_at) AS newest_at,
                   (array_agg(document.name ORDER BY added_at DESC))[1] AS newest_name
            FROM document
            WHERE document.school_id = folder.school_id AND document.folder_id = folder.id
              AND document.deleted_at IS NULL AND $3
        ) AS inside
        WHERE folder.school_id = $1 AND folder.parent_id = $2 AND folder.deleted_at IS NULL
        """,
        school_id,
        parent_id,
        counted,
    )
    return [
        FolderEntry(row["id"], row["name"], row["count"] if counted else None, row["newest_name"], row["newest_at"])
        for row in rows
    ]


async def list_documents(tx: Transaction, school_id: UUID, folder_id: UUID) -> list[Document]:
    """The documents in a folder."""
    rows = await tx.fetch(
        """
        SELECT id, root_id, folder_id, name, media_type, sha256, size_bytes, added_at, added_by
        FROM document
        WHERE school_id = $1 AND folder_id = $2 AND deleted_at IS NULL
        """,
        school_id,
        folder_id,
    )
    return [_document(row) for row in rows]


async def list_newest(
    tx: Transaction, school_id: UUID, root_ids: Sequence[UUID], since: datetime, limit: int
) -> list[Document]:
    """The documents added since an instant under any of the roots, the newest first."""
    rows = await tx.fetch(
        """
        SELECT id, root_id, folder_id, name, media_type, sha256, size_bytes, added_at, added_by
        FROM document
        WHERE school_id = $1 AND root_id = ANY($2) AND added_at > $3 AND deleted_at IS NULL
        ORDER BY added_at DESC, id LIMIT $4
        """,
        school_id,
        list(root_ids),
        since,
        limit,
    )
    return [_document(row) for row in rows]


async def find_document(tx: Transaction, school_id: UUID, root_id: UUID, document_id: UUID) -> Document | None:
    """A document of a tree that is not in the bin."""
    row = await tx.fetchrow(
        """
        SELECT id, root_id, folder_id, name, media_type, sha256, size_bytes, added_at, added_by
        FROM document
        WHERE school_id = $1 AND root_id = $2 AND id = $3 AND deleted_at IS NULL
        """,
        school_id,
        root_id,
        document_id,
    )
    return None if row is None else _document(row)


async def list_by_id(tx: Transaction, school_id: UUID, ids: Sequence[UUID]) -> list[Document]:
    """The documents that exist among `ids`, those in the bin too."""
    rows = await tx.fetch(
        """
        SELECT id, root_id, folder_id, name, media_type, sha256, size_bytes, added_at, added_by
        FROM document
        WHERE school_id = $1 AND id = ANY($2)
        """,
        school_id,
        list(ids),
    )
    return [_document(row) for row in rows]


async def list_folder_names(tx: Transaction, school_id: UUID, parent_id: UUID, besides: UUID | None = None) -> set[str]:
    """The names of the folders in a folder, casefolded, but for that of `besides`."""
    rows = await tx.fetch(
        """
        SELECT name FROM folder
        WHERE school_id = $1 AND parent_id = $2 AND deleted_at IS NULL AND id IS DISTINCT FROM $3
        """,
        school_id,
        parent_id,
        besides,
    )
    return {row["name"].casefold() for row in rows}


async def list_document_names(
    tx: Transaction, school_id: UUID, folder_id: UUID, besides: UUID | None = None
) -> set[str]:
    """The names of the documents in a folder, casefolded, but for that of `besides`."""
    rows = await tx.fetch(
        """
        SELECT name FROM document
        WHERE school_id = $1 AND folder_id = $2 AND deleted_at IS NULL AND id IS DISTINCT FROM $3
        """,
        school_id,
        folder_id,
        besides,
    )
    return {row["name"].casefold() for row in rows}


async def insert_folder(
    tx: Transaction, tree: Tree, parent_id: UUID, folder_id: UUID, *, name: str, at: datetime
) -> None:
    """Insert a folder; the same id again changes nothing."""
    await tx.execute(
        """
        INSERT INTO folder (school_id, id, root_id, parent_id, name, created_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (school_id, id) DO NOTHING
        """,
        tree.school_id,
        folder_id,
        tree.root_id,
        parent_id,
        name,
        at,
    )


async def change_folder(tx: Transaction, school_id: UUID, folder_id: UUID, name: str, parent_id: UUID) -> None:
    """Give a folder a name and a place."""
    await tx.execute(
        "UPDATE folder SET name = $3, parent_id = $4 WHERE school_id = $1 AND id = $2",
        school_id,
        folder_id,
        name,
        parent_id,
    )


async def change_document(tx: Transaction, school_id: UUID, document_id: UUID, name: str, folder_id: UUID) -> None:
    """Give a document a name and a place."""
    await tx.execute(
        "UPDATE document SET name = $3, folder_id = $4 WHERE school_id = $1 AND id = $2",
        school_id,
        document_id,
        name,
        folder_id,
    )


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


async def insert_documents(
    tx: Transaction,
    tree: Tree,
    folder_id: UUID,
    documents: Sequence[NewDocument],
    *,
    added_by: UUID | None,
    at: datetime,
) -> None:
    """Insert documents whose blobs are claimed."""
    await tx.execute(
        """
        INSERT INTO document
            (school_id, id, root_id, folder_id, name, media_type, sha256, size_bytes, added_at, added_by)
        SELECT $1, added.id, $2, $3, added.name, added.media_type, added.sha256, added.size_bytes, $9, $10
        FROM unnest($4::uuid[], $5::text[], $6::text[], $7::bytea[], $8::bigint[])
            AS added (id, name, media_type, sha256, size_bytes)
        """,
        tree.school_id,
        tree.root_id,
        folder_id,
        [document.id for document in documents],
        [document.name for document in documents],
        [document.media_type for document in documents],
        [document.sha256 for document in documents],
        [document.size_bytes for document in documents],
        at,
        added_by,
    )


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
    return None if row is None else _document(row)


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


def _document(row: Row) -> Document:
    return Document(
        row["id"],
        row["root_id"],
        row["folder_id"],
        row["name"],
        row["media_type"],
        row["sha256"],
        row["size_bytes"],
        row["added_at"],
        row["added_by"],
    )
