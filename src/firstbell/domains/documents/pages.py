"""The pages of a tree of folders, wherever its holder puts them, and the bytes of documents.

A holder mounts `HANDLERS` under its own address and gives the dependency `place`, which judges who comes here.
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from firstbell.domains.documents import actions, queries
from firstbell.domains.documents.access import Addresses, access_document, access_folder, check_write
from firstbell.domains.documents.model import (
    TEXT_PREVIEW_BYTES,
    BinEntry,
    Document,
    FolderEntry,
    Kind,
    NewDocument,
    Place,
    choices,
    document_id_in,
    natural_order,
    sniff,
)
from firstbell.domains.people import queries as people
from firstbell.domains.people.model import SIGNED_IN, Viewer
from firstbell.kernel.blobs import Blobs, StorageDownError
from firstbell.kernel.clock import Ids
from firstbell.kernel.db import Transaction
from firstbell.kernel.extras import Extra
from firstbell.kernel.html import page
from firstbell.kernel.http import policy, see_other
from firstbell.kernel.i18n import mark
from firstbell.kernel.problems import wants_page
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.uploads import ReceivedFile, receive_files
from firstbell.kernel.visit import visit_of
from firstbell.settings import Settings

Asked = Request[Any, Any, Any]

COUNTS = Extra(2, mark("what is in the folders"))
AROUND = Extra(1, mark("what stands before and after this document, and who added it"))
_BIN_ENTRIES_MAX = 200
_NAME = msgspec.Meta(max_length=1_000)


class DetailsForm(msgspec.Struct, frozen=True):
    """The name and the place of a document or a folder."""

    name: Annotated[str, _NAME]
    folder: UUID


class FolderForm(msgspec.Struct, frozen=True):
    """A folder to be made; its id was made with the form, so that sending it twice makes one."""

    id: UUID
    name: Annotated[str, _NAME]
    parent: UUID


class Listing(msgspec.Struct, frozen=True):
    """What the part of a page shows that lists a folder."""

    place: Place
    folder_id: UUID
    folders: list[FolderEntry]
    documents: list[Document]
    undo: BinEntry | None
    added: int
    new_id: UUID
    files_max: int
    file_bytes_max: int

    @property
    def count(self) -> int | None:
        """How many documents stand here and in the folders one level down; None when nobody counted."""
        below = [folder.count for folder in self.folders if folder.count is not None]
        return len(self.documents) + sum(below) if len(below) == len(self.folders) else None


async def list_folder(
    request: Asked, tx: Transaction, place: Place, folder_id: UUID, *, settings: Settings, new_id: UUID
) -> Listing:
    """What `documents/parts.html` shows of a folder whose access is judged; for the page of a holder too."""
    counted = not visit_of(request.scope).leaves_out(COUNTS)
    folders = await queries.list_folders(tx, place.tree.school_id, folder_id, counted=counted)
    documents = await queries.list_documents(tx, place.tree.school_id, folder_id)
    return Listing(
        place=place,
        folder_id=folder_id,
        folders=sorted(folders, key=lambda folder: natural_order(folder.name)),
        documents=sorted(documents, key=lambda document: natural_order(document.name)),
        undo=await _just_deleted(request, tx, place),
        added=_small_number(request.query_params.get("added", "")),
        new_id=new_id,
        files_max=settings.upload_files_max,
        file_bytes_max=settings.upload_bytes_max,
    )


@get("/folders/{folder_id:uuid}", opt=route(SIGNED_IN, Priority.P1))
async def show_folder(
    request: Asked, *, tx: Transaction, place: Place, folder_id: UUID, settings: Settings, ids: Ids
) -> Response[bytes]:
    """A folder below the top one; that is on the page of its holder."""
    if folder_id == place.tree.root_id:
        return see_other(place.href)
    path = await access_folder(tx, place.tree, folder_id)
    listing = await list_folder(request, tx, place, folder_id, settings=settings, new_id=ids.new())
    return page(request, "documents/folder.html", place=place, path=path, listing=listing)


@post("/folders", opt=route(SIGNED_IN, Priority.P2))
async def create_folder(
    request: Asked,
    data: Annotated[FolderForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    tx: Transaction,
    place: Place,
    settings: Settings,
) -> Response[bytes]:
    """Make a folder and open it."""
    check_write(place)
    at = visit_of(request.scope).started_at
    await actions.create_folder(tx, place.tree, data.parent, data.id, data.name, at=at, settings=settings)
    return see_other(_folder_href(place, data.id))


@get("/folders/{folder_id:uuid}/details", opt=route(SIGNED_IN, Priority.P2))
async def show_folder_details(request: Asked, tx: Transaction, place: Place, folder_id: UUID) -> Response[bytes]:
    """The form that renames or moves a folder."""
    check_write(place)
    await actions.access_lower_folder(tx, place.tree, folder_id)
    path = await access_folder(tx, place.tree, folder_id)
    tree = await queries.list_tree(tx, place.tree.school_id, place.tree.root_id)
    return page(
        request,
        "documents/details.html",
        place=place,
        path=path[:-1],
        name=path[-1].name,
        href=_folder_href(place, folder_id),
        folder_id=path[-1].parent_id,
        folders=choices(tree, besides=folder_id),
        is_folder=True,
    )


@post("/folders/{folder_id:uuid}/details", opt=route(SIGNED_IN, Priority.P2))
async def change_folder(
    folder_id: UUID,
    data: Annotated[DetailsForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    tx: Transaction,
    place: Place,
    settings: Settings,
) -> Response[bytes]:
    """Rename or move a folder, and open it."""
    check_write(place)
    await actions.change_folder(tx, place.tree, folder_id, data.name, data.folder, settings=settings)
    return see_other(_folder_href(place, folder_id))


@post("/folders/{folder_id:uuid}/deletion", opt=route(SIGNED_IN, Priority.P2))
async def delete_folder(
    request: Asked, tx: Transaction, viewer: Viewer, place: Place, folder_id: UUID
) -> Response[bytes]:
    """Put a folder in the bin; the page above it offers to undo that."""
    check_write(place)
    at = visit_of(request.scope).started_at
    above = await actions.delete_folder(tx, place.tree, folder_id, by=viewer.person_id, at=at)
    return see_other(f"{_folder_href(place, above)}?deleted={folder_id}")


@post("/folders/{folder_id:uuid}/restoration", opt=route(SIGNED_IN, Priority.P2))
async def restore_folder(tx: Transaction, place: Place, folder_id: UUID) -> Response[bytes]:
    """Take a folder out of the bin, and open the one above it."""
    check_write(place)
    return see_other(_folder_href(place, await actions.restore_folder(tx, place.tree, folder_id)))


@post(
    "/folders/{folder_id:uuid}/documents",
    opt=route(SIGNED_IN, Priority.P2, streams=True),
    request_max_body_size=None,
    status_code=201,
)
async def add_documents(
    request: Asked,
    *,
    tx: Transaction,
    viewer: Viewer,
    place: Place,
    folder_id: UUID,
    blobs: Blobs,
    ids: Ids,
    settings: Settings,
    upload: UUID | None = None,
) -> Response[bytes]:
    """Take the files of a form. The same files sent again under the same `upload` are added once."""
    check_write(place)
    await access_folder(tx, place.tree, folder_id)
    await tx.let_go()
    school_id, clock = place.tree.school_id, visit_of(request.scope).clock
    async with receive_files(request, blobs, settings) as files:
        documents = _documents_of(files, upload or ids.new())
        wanted = [(document.sha256, document.size_bytes) for document in documents]
        await actions.claim_blobs(tx, school_id, wanted, at=clock.now())
        await tx.let_go()
        for file in files:
            await blobs.keep(school_id, file.arrival)
    by, at = viewer.person_id, clock.now()
    await actions.add_documents(tx, place.tree, folder_id, documents, by=by, at=at, settings=settings)
    if wants_page(request):
        return see_other(f"{_folder_href(place, folder_id)}?added={len(documents)}")
    return Response(
        msgspec.json.encode({"documents": [_document_href(place, document.id) for document in documents]}),
        status_code=201,
        media_type="application/json",
    )


@get("/documents/{document_id:uuid}", opt=route(SIGNED_IN, Priority.P2))
async def show_document(
    request: Asked, *, tx: Transaction, place: Place, document_id: UUID, blobs: Blobs, addresses: Addresses
) -> Response[bytes]:
    """A document in its page, between those beside it."""
    document = await access_document(tx, place.tree, document_id)
    path = await access_folder(tx, place.tree, document.folder_id)
    previous = following = by = None
    if not visit_of(request.scope).leaves_out(AROUND):
        beside = await queries.list_documents(tx, place.tree.school_id, document.folder_id)
        previous, following = _neighbours(beside, document)
        if document.added_by is not None:
            by = await people.find_name(tx, place.tree.school_id, document.added_by)
    await tx.let_go()
    text, is_reachable = await _text_of(place, document, blobs)
    return page(
        request,
        "documents/document.html",
        headers=policy(object_src="'self'") if document.kind is Kind.PDF else None,
        place=place,
        path=path,
        document=document,
        by=by,
        text=text,
        is_reachable=is_reachable,
        shown=addresses.sign(place.tree.school_id, document),
        download=addresses.sign(place.tree.school_id, document, download=True),
        previous=previous and _document_href(place, previous.id),
        following=following and _document_href(place, following.id),
    )


@get("/documents/{document_id:uuid}/details", opt=route(SIGNED_IN, Priority.P2))
async def show_document_details(request: Asked, tx: Transaction, place: Place, document_id: UUID) -> Response[bytes]:
    """The form that renames or moves a document."""
    check_write(place)
    document = await access_document(tx, place.tree, document_id)
    path = await access_folder(tx, place.tree, document.folder_id)
    return page(
        request,
        "documents/details.html",
        place=place,
        path=path,
        name=document.name,
        href=_document_href(place, document_id),
        folder_id=document.folder_id,
        folders=choices(await queries.list_tree(tx, place.tree.school_id, place.tree.root_id)),
        is_folder=False,
    )


@post("/documents/{document_id:uuid}/details", opt=route(SIGNED_IN, Priority.P2))
async def change_document(
    document_id: UUID,
    data: Annotated[DetailsForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    tx: Transaction,
    place: Place,
    settings: Settings,
) -> Response[bytes]:
    """Rename or move a document, and open the folder that it is in now."""
    check_write(place)
    await actions.change_document(tx, place.tree, document_id, data.name, data.folder, settings=settings)
    return see_other(_folder_href(place, data.folder))


@post("/documents/{document_id:uuid}/deletion", opt=route(SIGNED_IN, Priority.P2))
async def delete_document(
    request: Asked, tx: Transaction, viewer: Viewer, place: Place, document_id: UUID
) -> Response[bytes]:
    """Put a document in the bin; the page of its folder offers to undo that."""
    check_write(place)
    at = visit_of(request.scope).started_at
    folder_id = await actions.delete_document(tx, place.tree, document_id, by=viewer.person_id, at=at)
    return see_other(f"{_folder_href(place, folder_id)}?deleted={document_id}")


@post("/documents/{document_id:uuid}/restoration", opt=route(SIGNED_IN, Priority.P2))
async def restore_document(tx: Transaction, place: Place, document_id: UUID) -> Response[bytes]:
    """Take a document out of the bin, and open the folder that it is in."""
    check_write(place)
    return see_other(_folder_href(place, await actions.restore_document(tx, place.tree, document_id)))


@get("/bin", opt=route(SIGNED_IN, Priority.P3))
async def show_bin(request: Asked, tx: Transaction, place: Place, settings: Settings) -> Response[bytes]:
    """What was deleted and can still come back."""
    check_write(place)
    entries = await queries.list_bin(tx, place.tree.school_id, place.tree.root_id, _BIN_ENTRIES_MAX)
    return page(request, "documents/bin.html", place=place, entries=entries, days=settings.bin_days)


def _documents_of(files: list[ReceivedFile], upload_id: UUID) -> list[NewDocument]:
    return [
        NewDocument(
            document_id_in(upload_id, file.arrival.sha256, position),
            file.name,
            sniff(file.arrival.head, file.name),
            file.arrival.sha256,
            file.arrival.size_bytes,
        )
        for position, file in enumerate(files)
    ]


async def _text_of(place: Place, document: Document, blobs: Blobs) -> tuple[str | None, bool]:
    """The beginning of a text, or None, and whether the store could be asked for it."""
    if document.kind is not Kind.TEXT:
        return None, True
    length = min(document.size_bytes, TEXT_PREVIEW_BYTES)
    try:
        data = await blobs.read(place.tree.school_id, document.sha256, 0, length) if length else b""
    except StorageDownError:
        return None, False
    return data.decode(document.media_type.partition("charset=")[2] or "utf-8", errors="replace"), True


def _neighbours(documents: list[Document], document: Document) -> tuple[Document | None, Document | None]:
    ordered = sorted(documents, key=lambda other: natural_order(other.name))
    at = [other.id for other in ordered].index(document.id)
    return ordered[at - 1] if at > 0 else None, ordered[at + 1] if at + 1 < len(ordered) else None


async def _just_deleted(request: Asked, tx: Transaction, place: Place) -> BinEntry | None:
    asked = request.query_params.get("deleted", "")
    if not place.may_write or not asked:
        return None
    try:
        entry_id = UUID(asked)
    except ValueError:
        return None
    return await queries.find_in_bin(tx, place.tree, entry_id)


def _small_number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0  # noqa: PLR2004


def _folder_href(place: Place, folder_id: UUID) -> str:
    return place.href if folder_id == place.tree.root_id else f"{place.href}/folders/{folder_id}"


def _document_href(place: Place, document_id: UUID) -> str:
    return f"{place.href}/documents/{document_id}"


HANDLERS = [
    show_folder,
    create_folder,
    show_folder_details,
    change_folder,
    delete_folder,
    restore_folder,
    add_documents,
    show_document,
    show_document_details,
    change_document,
    delete_document,
    restore_document,
    show_bin,
]
