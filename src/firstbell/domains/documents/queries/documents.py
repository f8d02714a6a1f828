"""Statements on documents that are not in the bin."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.domains.documents.model import Document, NewDocument, Tree
from firstbell.kernel.db import Row, Transaction


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
    return [document_in(row) for row in rows]


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
    return [document_in(row) for row in rows]


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
    return None if row is None else document_in(row)


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
    return [document_in(row) for row in rows]


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


async def change_document(tx: Transaction, school_id: UUID, document_id: UUID, name: str, folder_id: UUID) -> None:
    """Give a document a name and a place."""
    await tx.execute(
        "UPDATE document SET name = $3, folder_id = $4 WHERE school_id = $1 AND id = $2",
        school_id,
        document_id,
        name,
        folder_id,
    )


def document_in(row: Row) -> Document:
    """A row of the columns that every statement on documents reads."""
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
