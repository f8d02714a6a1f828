"""What documents and folders are, what their bytes say that they are, and how they are named."""

import codecs
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import count
from pathlib import PurePosixPath
from uuid import UUID

import msgspec

NAME_LENGTH_MAX = 200
"""As the table has it."""

TEXT_PREVIEW_BYTES = 200_000
"""What a text shows in its page; somebody who wants more downloads it."""

_BINARY = "application/octet-stream"
_SUFFIX_LENGTH_MAX = 10


class Kind(StrEnum):
    """What a document is to a reader: how it is drawn in a list, and whether a browser shows it."""

    PDF = "pdf"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    TEXT = "text"
    ARCHIVE = "archive"
    OTHER = "other"


SHOWN = frozenset({Kind.PDF, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.TEXT})
"""The kinds that a browser shows; every other kind is only ever downloaded."""


class Tree(msgspec.Struct, frozen=True):
    """The folders under one root."""

    school_id: UUID
    root_id: UUID


class Place(msgspec.Struct, frozen=True):
    """A tree as its holder lends it: the holder judges who comes here, documents judge the rest.

    `href` is the holder's page, under which the addresses of folders and documents stand; `links` lead there,
    each an address and a message id.
    """

    tree: Tree
    href: str
    title: str
    links: tuple[tuple[str, str], ...]
    may_write: bool


class Folder(msgspec.Struct, frozen=True):
    """A folder; the root of a tree has no parent and carries the name of its holder."""

    id: UUID
    parent_id: UUID | None
    name: str


class FolderEntry(msgspec.Struct, frozen=True):
    """A folder in the list of the one above it, with what its own documents tell: how many, and the newest.

    `count` is None when nobody counted.
    """

    id: UUID
    name: str
    count: int | None
    newest_name: str | None
    newest_at: datetime | None


class Document(msgspec.Struct, frozen=True):
    """What somebody opens. Its bytes are the blob named by `sha256`."""

    id: UUID
    root_id: UUID
    folder_id: UUID
    name: str
    media_type: str
    sha256: bytes
    size_bytes: int
    added_at: datetime
    added_by: UUID | None

    @property
    def kind(self) -> Kind:
        """What it is to a reader."""
        return kind_of(self.media_type)


class NewDocument(msgspec.Struct, frozen=True):
    """A document about to be added; its blob is kept already."""

    id: UUID
    name: str
    media_type: str
    sha256: bytes
    size_bytes: int


class BinEntry(msgspec.Struct, frozen=True):
    """What can be taken out of the bin in one go: a document, or a folder with all that went with it."""

    id: UUID
    is_folder: bool
    name: str
    media_type: str | None
    deleted_at: datetime

    @property
    def kind(self) -> Kind:
        """What it is to a reader, unless it is a folder."""
        return kind_of(self.media_type or "")


def kind_of(media_type: str) -> Kind:
    """What a media type is to a reader; one that `sniff` does not know is never shown."""
    return _KINDS.get(media_type.partition(";")[0], Kind.OTHER)


def document_id_in(upload_id: UUID, sha256: bytes, position: int) -> UUID:
    """The id of the file at `position` of an upload: the same for the same bytes, however often they are sent.

    It has the time of the upload's id and the shape of a UUIDv7 (RFC 9562). The bytes take part in it, since
    a browser that goes back and sends another file sends the same upload's id.
    """
    digest = hashlib.sha256(upload_id.bytes + sha256 + position.to_bytes(4)).digest()
    rest = int.from_bytes(digest[:10])
    stamp = upload_id.int >> 80 << 80
    return UUID(int=stamp | 0x7 << 76 | (rest >> 4 & 0xFFF) << 64 | 0b10 << 62 | rest >> 16 & (1 << 62) - 1)


def choices(folders: Sequence[Folder], besides: UUID | None = None) -> list[tuple[UUID, str]]:
    """Every folder with its way from the top, for somebody who moves something; not `besides` and what is in it."""
    by_parent: dict[UUID | None, list[Folder]] = {}
    for folder in sorted(folders, key=lambda folder: natural_order(folder.name)):
        by_parent.setdefault(folder.parent_id, []).append(folder)
    found: list[tuple[UUID, str]] = []

    def visit(folder: Folder, way: tuple[str, ...]) -> None:
        if folder.id == besides:
            return
        found.append((folder.id, " / ".join((*way, folder.name))))
        for inner in by_parent.get(folder.id, []):
            visit(inner, (*way, folder.name))

    for root in by_parent.get(None, []):
        visit(root, ())
    return found


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts as people count: "5 Pythagoras" before "10 Statistics"."""
    parts = re.split(r"(\d{1,18})", name.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def clean_name(given: str) -> str:
    """A name as it is kept: without folders, control characters and what turns text around; "" when nothing is left."""
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    visible = "".join(" " if character.isspace() else character for character in last)
    visible = "".join(character for character in visible if not unicodedata.category(character).startswith("C"))
    stem, suffix = split_suffix(" ".join(visible.split()))
    return stem[: NAME_LENGTH_MAX - len(suffix)] + suffix


def split_suffix(name: str) -> tuple[str, str]:
    """The name and its suffix with the dot; a suffix that is none of a file's stays with the name."""
    suffix = PurePosixPath(name).suffix
    if not 1 < len(suffix) <= _SUFFIX_LENGTH_MAX or " " in suffix:
        return name, ""
    return name.removesuffix(suffix), suffix


def free_name(name: str, taken: set[str]) -> str:
    """`name`, or "name (2).pdf" and so on when the folder has it already; `taken` holds casefolded names."""
    if name.casefold() not in taken:
        return name
    stem, suffix = split_suffix(name)
    for number in count(2):
        addition = f" ({number}){suffix}"
        tried = stem[: NAME_LENGTH_MAX - len(addition)] + addition
        if tried.casefold() not in taken:
            return tried
    raise AssertionError("numbers do not end")


_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
)

_ISO_BRANDS = {
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "), "video/mp4"),
}

_ZIPPED = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".epub": "application/epub+zip",
}

_COMPOUND = {
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
}

_KINDS = {
    "application/pdf": Kind.PDF,
    "text/plain": Kind.TEXT,
    **dict.fromkeys(("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"), Kind.IMAGE),
    **dict.fromkeys(
        ("audio/mpeg", "audio/flac", "audio/mp4", "audio/wav", "audio/ogg", "audio/webm", "audio/aac"), Kind.AUDIO
    ),
    **dict.fromkeys(("video/mp4", "video/quicktime", "video/ogg", "video/webm"), Kind.VIDEO),
    **dict.fromkeys(
        ("application/zip", "application/gzip", "application/x-7z-compressed", "application/vnd.rar"), Kind.ARCHIVE
    ),
}

_TEXT_SUFFIXES = frozenset(
    {".txt", ".md", ".csv", ".tsv", ".log", ".srt", ".vtt", ".py", ".java", ".c", ".sql", ".tex"}
)
"""Plain texts. What a browser could run or draw (HTML, SVG, XML, scripts) is not among them."""


def sniff(head: bytes, name: str) -> str:
    """The media type that the first bytes of a file prove; the name decides only between what the bytes leave open.

    What we do not know is `application/octet-stream`, which is never shown, only downloaded.
    """
    suffix = split_suffix(name)[1].lower()
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    return _sniff_container(head, suffix) or _sniff_frames(head, suffix) or _sniff_text(head, suffix) or _BINARY


def _sniff_container(head: bytes, suffix: str) -> str | None:
    found: str | None = None
    if head[4:8] == b"ftyp":
        found = _ISO_BRANDS.get(head[8:12])
    elif head.startswith(b"RIFF"):
        found = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    elif head.startswith(b"OggS"):
        found = "video/ogg" if suffix == ".ogv" else "audio/ogg"
    elif head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head[:64]:
        found = "audio/webm" if suffix == ".weba" else "video/webm"
    elif head.startswith(b"PK\x03\x04"):
        found = _ZIPPED.get(suffix, "application/zip")
    elif head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        found = _COMPOUND.get(suffix)
    return found


def _sniff_frames(head: bytes, suffix: str) -> str | None:
    """MP3 and AAC without a header begin with eleven set bits, which other files may have too."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004
        return None
    return {".mp3": "audio/mpeg", ".aac": "audio/aac"}.get(suffix)


def _sniff_text(head: bytes, suffix: str) -> str | None:
    if suffix not in _TEXT_SUFFIXES or re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head):
        return None
    try:
        # Not final: a character of several bytes may be cut where our look at the file ends.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "text/plain; charset=windows-1252"
    return "text/plain; charset=utf-8"
