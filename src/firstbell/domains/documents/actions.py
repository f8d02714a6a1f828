"""What people do with folders and documents, each in the transaction that it is given.

Whatever changes a tree first holds it, so that two teachers at once neither lose a document nor make a circle.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from firstbell.domains.documents import queries
from firstbell.domains.documents.access import access_document, access_folder
from firstbell.domains.documents.model import Folder, NewDocument, Tree, clean_name, free_name
from firstbell.kernel.blobs import Blobs
from firstbell.kernel.changes import record_change
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import ConflictError, InvalidError, NotFoundError
from firstbell.kernel.i18n import mark
from firstbell.settings import Settings

_BATCH = 1_000


async def claim_blobs(tx: Transaction, school_id: UUID, blobs: Sequence[tuple[bytes, int]], *, at: datetime) -> None:
    """Say which blobs (SHA-256 and size) will be kept, before they are: no removal under way can then undo it."""
    await queries.claim_blobs(tx, school_id, blobs, at)


async def add_documents(
    tx: Transaction,
    tree: Tree,
    folder_id: UUID,
    documents: Sequence[NewDocument],
    *,
    by: UUID | None,
    at: datetime,
    settings: Settings,
) -> None:
    """Add documents to a folder; their blobs are claimed and kept. Adding the same again changes nothing.

    Raises:
        NotFoundError: the folder is gone.
        InvalidError: the folder would have too many documents.
        ConflictError: an id belongs to another document.
    """
    await _hold(tx, tree)
    await access_folder(tx, tree, folder_id)
    fresh = await _not_yet_added(tx, tree, documents)
    taken = await queries.list_document_names(tx, tree.school_id, folder_id)
    _check_entries(len(taken) + len(fresh), settings)
    named = []
    for document in fresh:
        name = free_name(clean_name(document.name) or "document", taken)
        taken.add(name.casefold())
        named.append(NewDocument(document.id, name, document.media_type, document.sha256, document.size_bytes))
    await queries.insert_documents(tx, tree, folder_id, named, added_by=by, at=at)
    await _tell(tx, tree)


async def _not_yet_added(tx: Transaction, tree: Tree, documents: Sequence[NewDocument]) -> list[NewDocument]:
    wanted = {document.id: document for document in documents}
    known = await queries.list_by_id(tx, tree.school_id, list(wanted))
    if any(found.root_id != tree.root_id or found.sha256 != wanted[found.id].sha256 for found in known):
        raise ConflictError
    added = {found.id for found in known}
    return [document for document in wanted.values() if document.id not in added]


async def change_document(
    tx: Transaction, tree: Tree, document_id: UUID, name: str, folder_id: UUID, *, settings: Settings
) -> None:
    """Rename or move a document, or both.

    Raises:
        NotFoundError: the document or the folder is gone.
        InvalidError: the name is empty, or the folder is full.
    """
    await _hold(tx, tree)
    await access_document(tx, tree, document_id)
    await access_folder(tx, tree, folder_id)
    taken = await queries.list_document_names(tx, tree.school_id, folder_id, document_id)
    _check_entries(len(taken) + 1, settings)
    await queries.change_document(tx, tree.school_id, document_id, free_name(_given_name(name), taken), folder_id)
    await _tell(tx, tree)


async def delete_document(tx: Transaction, tree: Tree, document_id: UUID, *, by: UUID, at: datetime) -> UUID:
    """Put a document in the bin; the folder that it was in.

    Raises:
        NotFoundError: it is gone already.
    """
    await _hold(tx, tree)
    document = await access_document(tx, tree, document_id)
    await queries.delete_document(tx, tree.school_id, document_id, by, at)
    await _tell(tx, tree)
    return document.folder_id


async def restore_document(tx: Transaction, tree: Tree, document_id: UUID) -> UUID:
    """Take a document out of the bin; the folder that it is in now, the top one when its own is in the bin.

    Raises:
        NotFoundError: it is not in the bin.
    """
    await _hold(tx, tree)
    document = await queries.find_deleted_document(tx, tree.school_id, tree.root_id, document_id)
    if document is None:
        raise NotFoundError
    folder_id = await _living_folder(tx, tree, document.folder_id)
    name = free_name(document.name, await queries.list_document_names(tx, tree.school_id, folder_id))
    await queries.restore_document(tx, tree.school_id, document_id, name, folder_id)
    await _tell(tx, tree)
    return folder_id


async def create_folder(
    tx: Transaction, tree: Tree, parent_id: UUID, folder_id: UUID, name: str, *, at: datetime, settings: Settings
) -> None:
    """Make a folder in another; making the same again changes nothing.

    Raises:
        NotFoundError: the folder above is gone.
        InvalidError: the name is empty, or there are too many folders beside or above it.
    """
    await _hold(tx, tree)
    above = await access_folder(tx, tree, parent_id)
    _check_depth(len(above) + 1, settings)
    taken = await queries.list_folder_names(tx, tree.school_id, parent_id, folder_id)
    _check_entries(len(taken) + 1, settings)
    free = free_name(_given_name(name), taken)
    await queries.insert_folder(tx, tree, parent_id, folder_id, name=free, at=at)


async def change_folder(
    tx: Transaction, tree: Tree, folder_id: UUID, name: str, parent_id: UUID, *, settings: Settings
) -> None:
    """Rename or move a folder, or both.

    Raises:
        NotFoundError: the folder or the one above is gone, or it is the top one.
        InvalidError: the name is empty, the place is inside the folder itself, or too deep or too full.
    """
    await _hold(tx, tree)
    await access_lower_folder(tx, tree, folder_id)
    above = await access_folder(tx, tree, parent_id)
    if folder_id in {folder.id for folder in above}:
        raise InvalidError(mark("A folder cannot go inside itself."))
    folders = await queries.list_tree(tx, tree.school_id, tree.root_id)
    _check_depth(len(above) + _height(folders, folder_id), settings)
    taken = await queries.list_folder_names(tx, tree.school_id, parent_id, folder_id)
    _check_entries(len(taken) + 1, settings)
    await queries.change_folder(tx, tree.school_id, folder_id, free_name(_given_name(name), taken), parent_id)


async def delete_folder(tx: Transaction, tree: Tree, folder_id: UUID, *, by: UUID, at: datetime) -> UUID:
    """Put a folder and all in it in the bin; the folder that it was in.

    Raises:
        NotFoundError: it is gone already, or it is the top one.
    """
    await _hold(tx, tree)
    parent_id = await access_lower_folder(tx, tree, folder_id)
    await queries.delete_folder(tx, tree.school_id, folder_id, by, at)
    await _tell(tx, tree)
    return parent_id


async def restore_folder(tx: Transaction, tree: Tree, folder_id: UUID) -> UUID:
    """Take a folder out of the bin with all that went with it; the folder that it is in now.

    Raises:
        NotFoundError: it is not in the bin.
    """
    await _hold(tx, tree)
    folder = await queries.find_deleted_folder(tx, tree.school_id, tree.root_id, folder_id)
    if folder is None or folder.parent_id is None:
        raise NotFoundError
    parent_id = await _living_folder(tx, tree, folder.parent_id)
    name = free_name(folder.name, await queries.list_folder_names(tx, tree.school_id, parent_id))
    await queries.restore_folder(tx, tree.school_id, folder_id, name, parent_id)
    await _tell(tx, tree)
    return parent_id


async def access_lower_folder(tx: Transaction, tree: Tree, folder_id: UUID) -> UUID:
    """The folder above a folder that is not the top one: the top one belongs to its holder.

    Raises:
        NotFoundError: it is gone, or it is the top one.
    """
    path = await access_folder(tx, tree, folder_id)
    if path[-1].parent_id is None:
        raise NotFoundError
    return path[-1].parent_id


async def empty_bin(tx: Transaction, school_id: UUID, *, at: datetime, settings: Settings) -> int:
    """Remove for good what has been in the bin long enough; how many rows, 0 when nothing is left to do."""
    before = at - timedelta(days=settings.bin_days)
    documents = await queries.purge_documents(tx, school_id, before, _BATCH)
    return documents + await queries.purge_folders(tx, school_id, before, _BATCH)


async def find_unreferenced_blobs(tx: Transaction, school_id: UUID, *, at: datetime, settings: Settings) -> list[bytes]:
    """Note which blobs no document has any more, and tell which have been so for long enough."""
    await queries.note_unreferenced_blobs(tx, school_id, at)
    return await queries.list_unreferenced_blobs(tx, school_id, at - timedelta(days=settings.blob_days), _BATCH)


async def remove_blob(
    tx: Transaction, blobs: Blobs, school_id: UUID, sha256: bytes, *, at: datetime, settings: Settings
) -> bool:
    """Remove a blob unless somebody wants it again; whoever sends the same bytes now waits for the end of this.

    The bytes go before the commit: were they to go after it, they could be those of an upload that came in between.
    """
    if not await queries.remove_blob(tx, school_id, sha256, at - timedelta(days=settings.blob_days)):
        return False
    await blobs.remove(school_id, sha256)
    return True


async def _hold(tx: Transaction, tree: Tree) -> None:
    if not await queries.lock_tree(tx, tree.school_id, tree.root_id):
        raise NotFoundError


async def _tell(tx: Transaction, tree: Tree) -> None:
    """Pages that show documents of this tree beside other things keep them for a while."""
    await record_change(tx, tree.school_id, "documents", [tree.root_id])


async def _living_folder(tx: Transaction, tree: Tree, folder_id: UUID) -> UUID:
    path = await queries.list_path(tx, tree.school_id, tree.root_id, folder_id)
    return folder_id if path else tree.root_id


def _given_name(name: str) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise InvalidError(mark("Give it a name."))
    return cleaned


def _check_entries(number: int, settings: Settings) -> None:
    if number > settings.folder_entries_max:
        raise InvalidError(
            mark("A folder holds at most %(number)s documents and as many folders."),
            mark("Make another folder for the rest. Nothing was saved."),
            number=settings.folder_entries_max,
        )


def _check_depth(depth: int, settings: Settings) -> None:
    if depth > settings.folder_depth_max:
        raise InvalidError(mark("Folders can go %(number)s deep, not further."), number=settings.folder_depth_max)


def _height(folders: Sequence[Folder], folder_id: UUID) -> int:
    """How many levels a folder and what is in it take."""
    inside, height = {folder_id}, 0
    while inside:
        inside, height = {folder.id for folder in folders if folder.parent_id in inside}, height + 1
    return height
