"""A keep-alive HTTP/1.1 connection that costs next to nothing, so that the client does not disturb what it measures."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, cast

import zstandard

_LENGTH, _TRANSFER, _SET_COOKIE = b"\r\ncontent-length:", b"\r\ntransfer-encoding:", b"\r\nset-cookie:"
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_END_OF_LINE, _END_OF_HEAD = b"\r\n", b"\r\n\r\n"


FORM = "application/x-www-form-urlencoded"
_BROWSER = (
    "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0\r\n"
    "accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "accept-encoding: gzip, deflate, br, zstd\r\n"
    "accept-language: nl-BE,nl;q=0.9,en;q=0.8\r\n"
    "sec-fetch-site: same-origin\r\n"
)


def browser_request(
    method: str, host: str, path: str, cookies: Mapping[str, str], *, body: bytes = b"", content_type: str = FORM
) -> bytes:
    """The bytes that a browser sends."""
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n{_BROWSER}"
    if cookies:
        head += "cookie: " + "; ".join([f"{name}={value}" for name, value in cookies.items()]) + "\r\n"
    if method == "POST":
        head += f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class AnswerError(RuntimeError):
    """The server answered what the step did not expect, or not at all."""


class Answer(NamedTuple):
    """Status, head and body as they came over the line."""

    status: int
    head: bytes
    body: bytes

    @property
    def size(self) -> int:
        """Bytes of head and body together."""
        return len(self.head) + len(_END_OF_HEAD) + len(self.body)

    def header(self, name: str) -> str:
        """The first header of this name, which is given in lower case, or ""."""
        return _header(self.head, f"\r\n{name}:".encode()).decode()

    def cookies(self) -> dict[str, str]:
        """The cookies that it sets, by name; one that it takes back is empty."""
        found, lower = {}, self.head.lower()
        at = lower.find(_SET_COOKIE)
        while at >= 0:
            end = lower.find(_END_OF_LINE, at + len(_SET_COOKIE))
            cookie = self.head[at + len(_SET_COOKIE) : end if end >= 0 else None]
            name, _, value = cookie.partition(b";")[0].partition(b"=")
            found[name.strip().decode()] = value.decode()
            at = lower.find(_SET_COOKIE, at + len(cookie))
        return found

    def text(self) -> str:
        """The body, unpacked."""
        packed = self.header("content-encoding") == "zstd"
        return (zstandard.ZstdDecompressor().decompressobj().decompress(self.body) if packed else self.body).decode()


class Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answer: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Connect to a server."""
        _transport, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Collect until the answer is whole."""
        self._buffer += data
        answer = parse_answer(self._buffer)
        if answer is not None and self._answer is not None:
            self._buffer.clear()
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(AnswerError(f"the server closed the connection: {exc}"))

    async def ask(self, request: bytes) -> Answer:
        """Send `request` as it is and wait for its answer.

        Raises:
            AnswerError: the connection was closed before the answer was whole.
        """
        if self._transport is None or self._transport.is_closing():
            raise AnswerError("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """End the connection."""
        self._answer = None
        if self._transport is not None:
            self._transport.close()


def parse_answer(buffer: bytes | bytearray) -> Answer | None:
    """The answer when `buffer` holds a whole one."""
    end = buffer.find(_END_OF_HEAD)
    if end < 0:
        return None
    head = bytes(buffer[:end])
    start = end + len(_END_OF_HEAD)
    length = _header(head, _LENGTH)
    if length:
        if len(buffer) < start + int(length):
            return None
    elif _header(head, _TRANSFER).lower() == b"chunked" and not buffer.endswith(_LAST_CHUNK, end):
        return None
    return Answer(int(head[9:12]), head, bytes(buffer[start:]))


def _header(head: bytes, begin: bytes) -> bytes:
    """What follows `begin` in its line, b"" without one. A search by plain bytes takes a tenth of a regular one."""
    at = head.lower().find(begin)
    if at < 0:
        return b""
    end = head.find(_END_OF_LINE, at + len(begin))
    return head[at + len(begin) : end if end >= 0 else None].strip()
