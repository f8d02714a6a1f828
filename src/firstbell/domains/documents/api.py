"""The bytes of documents: at once for whom their holder has judged, or by a signed address, which is all the access
that they need.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Request, Response, asgi

from firstbell.domains.documents.access import ADDRESSES_KEPT, Address, Addresses
from firstbell.domains.documents.model import SHOWN, Document, Kind, kind_of
from firstbell.domains.people.model import PUBLIC
from firstbell.kernel.answers import WholeFile
from firstbell.kernel.asgi import Send
from firstbell.kernel.blobs import Blobs
from firstbell.kernel.errors import NotFoundError
from firstbell.kernel.http import see_other
from firstbell.kernel.ranges import Span, UnsatisfiableError, asked_span
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of

Headers = list[tuple[bytes, bytes]]

_KEPT = b"private, max-age=172800, immutable"
"""Browsers keep what they have as long as its address may be good."""

_INERT = (
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)
"""Whatever a file turns out to be, it runs nothing and reaches nothing."""

_INERT_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""Browsers refuse to show a PDF in a sandbox; their viewers are one already."""

AT_ONCE_BYTES_MAX = 1_000_000
"""What is larger is worth to be asked for in parts and kept by its own address."""


async def serve(
    request: Request[Any, Any, Any], school_id: UUID, document: Document, addresses: Addresses, blobs: Blobs
) -> Response[bytes]:
    """Answer with a document to which its holder has judged the access, or send the browser to its signed address.

    A small one comes at once, for sending a browser on costs as much as its bytes. The browser may keep it, and asks
    each time whether it is still good, which is judged anew. Parts are only to be had by the address.

    Raises:
        StorageDownError: the store does not answer, or lacks the bytes.
    """
    visit = visit_of(request.scope)
    is_small = document.size_bytes <= AT_ONCE_BYTES_MAX
    # A text says in its own media type how it is written, where handlers have one way.
    if is_small and document.kind is not Kind.TEXT and not visit.header(b"range"):
        headers = _headers_at_once(document.sha256, document.media_type, document.name)
        if headers["ETag"] in visit.header(b"if-none-match"):
            return Response(b"", status_code=304, headers=headers)
        await visit.transaction.let_go()
        data = await blobs.small(school_id, document.sha256, document.size_bytes)
        if data is not None:
            return Response(data, media_type=document.media_type, headers=headers)
        path = blobs.path(school_id, document.sha256)
        if path is not None:
            return WholeFile(path, document.size_bytes, media_type=document.media_type, headers=headers)
    return see_other(addresses.sign(school_id, document))


@asgi("/blobs", is_mount=True, opt=route(PUBLIC, Priority.P2), copy_scope=False)
async def send_blob(scope: Any, receive: Any, send: Any) -> None:
    """Answer GET and HEAD: whole, in part (Range, If-Range), or not again (If-None-Match)."""
    state = scope["litestar_app"].state
    visit_of(scope).route = scope["path_template"]
    address = _checked(scope)
    given: dict[bytes, bytes] = dict(scope["headers"])
    etag, usual = _headers(address)
    headers = [*usual]
    if etag in given.get(b"if-none-match", b""):
        await _send_head(send, 304, headers)
        return
    try:
        span = _span(given, etag, address.size_bytes)
    except UnsatisfiableError:
        await _send_head(send, 416, [*headers, (b"content-range", b"bytes */%d" % address.size_bytes)])
        return
    status, whole = 200, Span(0, address.size_bytes)
    if span is not None:
        status = 206
        headers.append((b"content-range", b"bytes %d-%d/%d" % (span.start, span.end - 1, address.size_bytes)))
    part = span or whole
    headers.append((b"content-length", b"%d" % (part.end - part.start)))
    blobs: Blobs = state.blobs
    if scope["method"] == "HEAD":
        await _send_head(send, status, headers)
    elif part == whole and (body := await blobs.small(address.school_id, address.sha256, address.size_bytes)):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
    elif part == whole and (path := blobs.path(address.school_id, address.sha256)) is not None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.pathsend", "path": path})
    else:
        await _send_chunks(send, status, headers, blobs.stream(address.school_id, address.sha256, part.start, part.end))


def _checked(scope: Any) -> Address:
    """What the address says; it is all that is asked, so only an answer for people needs to know who reads it."""
    state = scope["litestar_app"].state
    addresses: Addresses = state.addresses
    if scope["method"] in ("GET", "HEAD"):
        with suppress(NotFoundError):
            return addresses.check(scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1"))
    state.entrance.name(visit_of(scope))
    raise NotFoundError


def _span(given: dict[bytes, bytes], etag: bytes, size_bytes: int) -> Span | None:
    if given.get(b"if-range", etag) != etag:
        return None
    return asked_span(given.get(b"range", b"").decode("latin-1"), size_bytes)


async def _send_chunks(send: Send, status: int, headers: Headers, chunks: AsyncIterator[bytes]) -> None:
    # The first chunk is asked for before the answer begins, so that the answer can still say what is wrong.
    first = await anext(chunks, b"")
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": first, "more_body": True})
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_head(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@lru_cache(ADDRESSES_KEPT)
def _headers(address: Address) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
    """The entity tag of a blob, and the headers of all answers of its address."""
    inert = _inert(address.sha256, address.media_type, address.name, is_shown=address.is_shown)
    return inert["ETag"].encode(), (
        (b"content-type", address.media_type.encode()),
        *((name.lower().encode(), value.encode()) for name, value in inert.items()),
        (b"cache-control", _KEPT),
        (b"accept-ranges", b"bytes"),
    )


@lru_cache(ADDRESSES_KEPT)
def _headers_at_once(sha256: bytes, media_type: str, name: str) -> dict[str, str]:
    """The headers of a document that comes without an address of its own."""
    inert = _inert(sha256, media_type, name, is_shown=kind_of(media_type) in SHOWN)
    return {**inert, "Cache-Control": "private, no-cache"}


def _inert(sha256: bytes, media_type: str, name: str, *, is_shown: bool) -> dict[str, str]:
    """What is said of all bytes that people brought: which they are, how they are called, what they may not do."""
    way = "inline" if is_shown else "attachment"
    return {
        "Content-Disposition": f"{way}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": _INERT_PDF if kind_of(media_type) is Kind.PDF else _INERT,
        "ETag": f'"{sha256.hex()}"',
    }


HANDLERS = [send_blob]
