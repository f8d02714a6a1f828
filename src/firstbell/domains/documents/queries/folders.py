"""Statements on folders: trees, paths, what is in them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from firstbell.domains.documents.model import Folder, FolderEntry, Tree
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
