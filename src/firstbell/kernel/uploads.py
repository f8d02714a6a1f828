"""Files in a form, taken as they arrive: nothing larger than a chunk is ever in memory, whatever a client sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from firstbell.kernel.blobs import Arrival, Blobs
from firstbell.kernel.errors import FirstbellError, InvalidError, TooLargeError
from firstbell.kernel.i18n import mark
from firstbell.settings import Settings

_OTHER_PARTS_MAX = 10
_DRAIN_BYTES_MAX = 20_000_000
"""How much of a refused upload is still read: only a browser that may finish what it sends shows our sentence."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that has arrived whole: the name that the client gave, and its bytes."""

    name: str
    arrival: Arrival


@asynccontextmanager
async def receive_files(
    request: Request[Any, Any, Any], blobs: Blobs, settings: Settings
) -> AsyncIterator[list[ReceivedFile]]:
    """The files of a multipart form. Those that the block does not keep are gone after it.

    Raises:
        TooLargeError: a file or the form is larger than settings allow.
        InvalidError: the form is broken, has too many files or none, or stopped arriving.
        BusyError: as many files arrive as may at once.
        StorageDownError: the bytes cannot be kept.
    """
    form = _Form(request, settings)
    async with AsyncExitStack() as arrivals:
        try:
            yield await form.receive(arrivals, blobs)
        except FirstbellError:
            await form.drain()
            raise


class _Form:
    """One multipart body on its way in."""

    def __init__(self, request: Request[Any, Any, Any], settings: Settings) -> None:
        self._request = request
        self._settings = settings
        self._received_bytes = 0
        self._is_complete = False
        self.files: list[ReceivedFile] = []

    async def receive(self, arrivals: AsyncExitStack, blobs: Blobs) -> list[ReceivedFile]:
        self._check_size(self._request.headers.get("content-length", "0"))
        current: ReceivedFile | None = None
        try:
            async for event in self._events():
                if isinstance(event, MultipartSegment):
                    current = await self._begin(event, arrivals, blobs)
                elif current is not None and event is None:
                    await current.arrival.finish()
                elif current is not None:
                    await current.arrival.write(event)
        except MultipartError as error:
            raise InvalidError(mark("The upload arrived damaged.")) from error
        if not self.files:
            raise InvalidError(mark("Choose a document first."))
        return self.files

    async def drain(self) -> None:
        """Read what is still coming, within limits, and throw it away."""
        rest = self._received_bytes + _DRAIN_BYTES_MAX
        try:
            while not self._is_complete and self._received_bytes < rest:
                await self._receive()
        except InvalidError:
            return

    async def _events(self) -> AsyncIterator[Any]:
        parts_max = self._settings.upload_files_max + _OTHER_PARTS_MAX
        boundary = self._request.content_type[1].get("boundary", "")
        parser = PushMultipartParser(boundary, max_segment_count=parts_max)
        while not self._is_complete:
            for event in parser.parse(await self._next()):
                yield event
        parser.close()

    async def _begin(self, part: MultipartSegment, arrivals: AsyncExitStack, blobs: Blobs) -> ReceivedFile | None:
        if not part.filename:
            return None
        if len(self.files) >= self._settings.upload_files_max:
            raise InvalidError(
                mark("At most %(number)s documents at once."),
                mark("Send the others after these. Nothing was saved."),
                number=self._settings.upload_files_max,
            )
        arrival = await arrivals.enter_async_context(blobs.arrival(self._settings.upload_bytes_max))
        self.files.append(ReceivedFile(part.filename, arrival))
        return self.files[-1]

    async def _next(self) -> bytes:
        received = await self._receive()
        self._check_size(self._received_bytes)
        return received

    async def _receive(self) -> bytes:
        try:
            async with asyncio.timeout(self._settings.upload_stall_seconds):
                message: Any = await self._request.receive()
        except TimeoutError as error:
            self._is_complete = True
            raise InvalidError(mark("The upload stopped halfway.")) from error
        if message["type"] == "http.disconnect":
            self._is_complete = True
            raise InvalidError(mark("The upload stopped halfway."))
        self._is_complete = not message.get("more_body", False)
        self._received_bytes += len(message["body"])
        return bytes(message["body"])

    def _check_size(self, size_bytes: int | str) -> None:
        bytes_max = self._settings.upload_request_bytes_max
        if not str(size_bytes).isdecimal() or int(size_bytes) > bytes_max:
            raise TooLargeError(mark("Documents can be at most %(size)s MB together."), size=bytes_max // 1_000_000)
