"""The bytes of documents by their signed address, which is all the access that they need."""

from collections.abc import AsyncIterator
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from litestar import asgi

from firstbell.domains.documents.access import ADDRESSES_KEPT, Address, Addresses
from firstbell.domains.documents.model import Kind, kind_of
from firstbell.domains.people.model import PUBLIC
from firstbell.kernel.asgi import Send
from firstbell.kernel.blobs import Blobs
from firstbell.kernel.errors import NotFoundError
from firstbell.kernel.ranges import Span, UnsatisfiableError, asked_span
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of

Headers = list[tuple[bytes, bytes]]

_KEPT = b"private, max-age=172800, immutable"
"""Browsers keep what they have as long as its address may be good."""

_INERT = (
    b"sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)
"""Whatever a file turns out to be, it runs nothing and reaches nothing."""

_INERT_PDF = b"default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""Browsers refuse to show a PDF in a sandbox; their viewers are one already."""


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
    kind = kind_of(address.media_type)
    way = "inline" if address.is_shown else "attachment"
    etag = b'"%s"' % address.sha256.hex().encode()
    return etag, (
        (b"content-type", address.media_type.encode()),
        (b"content-disposition", f"{way}; filename*=UTF-8''{quote(address.name, safe='')}".encode()),
        (b"content-security-policy", _INERT_PDF if kind is Kind.PDF else _INERT),
        (b"cache-control", _KEPT),
        (b"accept-ranges", b"bytes"),
        (b"etag", etag),
    )


HANDLERS = [send_blob]
