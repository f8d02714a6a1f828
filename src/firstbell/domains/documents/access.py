"""The doors of this domain: into a tree that a holder lends, and to the bytes by a signed address."""

from base64 import urlsafe_b64encode
from functools import lru_cache
from hmac import compare_digest
from urllib.parse import quote, unquote
from uuid import UUID

import msgspec

from firstbell.domains.documents import queries
from firstbell.domains.documents.model import SHOWN, Document, Folder, Place, Tree
from firstbell.kernel.clock import Clock
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import NotAllowedError, NotFoundError
from firstbell.kernel.signing import Signer

_DAY_SECONDS = 86_400
_WINDOWS = 2
"""An address signed on one day is good until the end of the next: it is the same all day, so that a browser keeps
what it has, and lives at most 48 hours."""

ADDRESSES_KEPT = 1_000
"""The worksheets of a morning, a kilobyte each. What nobody signed is not among them."""


async def access_folder(tx: Transaction, tree: Tree, folder_id: UUID) -> list[Folder]:
    """The folders from the root of `tree` to this one.

    Raises:
        NotFoundError: it is not in this tree, or in the bin.
    """
    path = await queries.list_path(tx, tree.school_id, tree.root_id, folder_id)
    if not path:
        raise NotFoundError
    return path


async def access_document(tx: Transaction, tree: Tree, document_id: UUID) -> Document:
    """A document of `tree`.

    Raises:
        NotFoundError: it is not in this tree, or in the bin.
    """
    document = await queries.find_document(tx, tree.school_id, tree.root_id, document_id)
    if document is None:
        raise NotFoundError
    return document


def check_write(place: Place) -> None:
    """Let pass who may change what is in `place`.

    Raises:
        NotAllowedError: the viewer only reads here.
    """
    if not place.may_write:
        raise NotAllowedError


class Address(msgspec.Struct, frozen=True):
    """What a signed address grants: one blob, under a name and a media type, shown or only downloaded."""

    school_id: UUID
    sha256: bytes
    size_bytes: int
    name: str
    media_type: str
    is_shown: bool


class Addresses:
    """Signs and checks the addresses of blobs; whoever has one may read that blob until it ends.

    A class opens its worksheet at the same moment, by the same address: what it says is worked out once.
    """

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock
        self._signed = lru_cache(ADDRESSES_KEPT)(self._sign)
        self._granted = lru_cache(ADDRESSES_KEPT)(self._read)

    def sign(self, school_id: UUID, document: Document, *, download: bool = False) -> str:
        """The address of the bytes of `document`; what browsers must not show is downloaded whatever is asked."""
        day = int(self._clock.seconds() // _DAY_SECONDS)
        is_shown = not download and document.kind in SHOWN
        return self._signed(
            day, Address(school_id, document.sha256, document.size_bytes, document.name, document.media_type, is_shown)
        )

    def check(self, path: str, query: str) -> Address:
        """What the address with this path and raw query grants.

        Raises:
            NotFoundError: it was not signed by us, or has ended.
        """
        day, address = self._granted(path, query)
        if self._clock.seconds() >= (day + _WINDOWS) * _DAY_SECONDS:
            raise NotFoundError
        return address

    def _sign(self, day: int, address: Address) -> str:
        signed = (
            f"/blobs/{address.school_id.hex}/{address.sha256.hex()}?day={day}"
            f"&size={address.size_bytes}&as={'shown' if address.is_shown else 'download'}"
            f"&type={quote(address.media_type, safe='')}&name={quote(address.name, safe='')}"
        )
        return f"{signed}&key={self._signer.first}&mac={self._mac(signed, self._signer.first)}"

    def _read(self, path: str, query: str) -> tuple[int, Address]:
        """The day on which we signed this address, and what it grants."""
        signed, _, signature = query.rpartition("&key=")
        key_id, _, mac = signature.partition("&mac=")
        try:
            expected = self._mac(f"{path}?{signed}", key_id)
        except KeyError:
            raise NotFoundError from None
        if not compare_digest(mac.encode(), expected.encode()):
            raise NotFoundError
        # What we signed is as we wrote it.
        day, size, way, media_type, name = (part.partition("=")[2] for part in signed.split("&"))
        _, _, school, sha256 = path.split("/")
        return int(day), Address(
            UUID(school), bytes.fromhex(sha256), int(size), unquote(name), unquote(media_type), way == "shown"
        )

    def _mac(self, signed: str, key_id: str) -> str:
        return urlsafe_b64encode(self._signer.mac(signed.encode(), key_id)).rstrip(b"=").decode()
