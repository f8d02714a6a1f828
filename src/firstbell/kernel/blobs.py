"""The bytes of documents, in a folder or in any bucket by URL, through obstore.

A blob is named by its school and the SHA-256 of its bytes, and never changes. Bytes are hashed by us while they arrive
in a file of ours; only then do they get their name, so that nobody ever sees half a blob.
"""

import asyncio
import hashlib
import os
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from firstbell.kernel.errors import BusyError, FirstbellError, TooLargeError
from firstbell.kernel.i18n import mark
from firstbell.settings import Settings

Result = TypeVar("Result")

CHUNK_BYTES = 262_144
"""What is written, hashed and read at a time: large enough for a disk, small enough for hundreds of readers."""

HEAD_BYTES = 4_096
"""How much of the beginning is kept in memory: enough to tell what kind of file it is."""

_IDLE_S = 60.0
"""A blob that somebody asked for in the last minute stays in memory: when more are asked for in turn than it holds, the
first of them are there instead of none. The others are sent by the server, which costs less than reading them here."""

_PART_BYTES = 8_388_608
_LEFTOVER_SECONDS = 86_400
"""A file that has been arriving for a day belongs to a process that ended."""


class StorageDownError(FirstbellError):
    """The bytes cannot be reached now; everything else goes on."""

    status = 503
    kind = "storage-down"
    title = mark("Documents cannot be reached at the moment.")
    advice = mark("The rest goes on. Try again in a few minutes; what was saved before is safe.")


class Arrival:
    """Bytes on their way in. Ask `size_bytes`, `sha256` and `head` when they are all there."""

    def __init__(self, path: Path, file: BinaryIO, bytes_max: int, blobs: "Blobs") -> None:
        self.path = path
        self.size_bytes = 0
        self.head = b""
        self.is_finished = False
        self._file = file
        self._bytes_max = bytes_max
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._blobs = blobs

    @property
    def sha256(self) -> bytes:
        """The digest of what was written."""
        return self._hash.digest()

    async def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLargeError: they are more than this file may have.
            StorageDownError: they cannot be kept.
        """
        self.size_bytes += len(data)
        if self.size_bytes > self._bytes_max:
            raise TooLargeError(mark("A document may be at most %(size)s MB."), None, size=self._bytes_max // 1_000_000)
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        self._waiting += data
        if len(self._waiting) >= CHUNK_BYTES:
            await self._flush()

    async def finish(self) -> None:
        """Write what waits, and do not come back before the disk has it."""
        await self._flush()
        await self._blobs.run(_sync_and_close, self._file)
        self.is_finished = True
        self._blobs.arrivals -= 1

    def close(self) -> None:
        """Take no more."""
        self._file.close()

    async def _flush(self) -> None:
        waiting, self._waiting = self._waiting, bytearray()
        await self._blobs.run(self._write, waiting)

    def _write(self, data: bytearray) -> None:
        self._hash.update(data)
        self._file.write(data)


class _Memory:
    """The small blobs that were asked for lately, each at most `CHUNK_BYTES`; the longest idle one goes first."""

    def __init__(self, bytes_max: int) -> None:
        self._left = bytes_max
        self._kept: OrderedDict[tuple[UUID, bytes], tuple[bytes, float]] = OrderedDict()

    def get(self, key: tuple[UUID, bytes]) -> bytes | None:
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept[key] = found[0], time.monotonic()
        self._kept.move_to_end(key)
        return found[0]

    def has_room(self, size_bytes: int) -> bool:
        if self._left >= size_bytes or not self._kept:
            return True
        _, asked_at = next(iter(self._kept.values()))
        return time.monotonic() - asked_at > _IDLE_S

    def keep(self, key: tuple[UUID, bytes], data: bytes) -> None:
        self.forget(key)
        self._left -= len(data)
        self._kept[key] = data, time.monotonic()
        while self._left < 0:
            self._left += len(self._kept.popitem(last=False)[1][0])

    def forget(self, key: tuple[UUID, bytes]) -> None:
        self._left += len(self._kept.pop(key, (b"", 0.0))[0])


class Blobs:
    """The store of one process. What it does at once is bounded; what takes too long is given up."""

    def __init__(self, store: Any, folder: Path | None, incoming: Path, settings: Settings) -> None:
        self._store = store
        self._folder = folder
        self._incoming = incoming
        self._timeout_s = settings.blob_timeout_ms / 1000
        self._arrivals_max = settings.uploads_at_once_max
        self.arrivals = 0
        self._reads = asyncio.Semaphore(settings.blob_reads_at_once_max)
        self._memory = _Memory(settings.blob_memory_bytes_max)
        self._puts = asyncio.Semaphore(settings.blob_puts_at_once_max)
        # Threads of its own: a disk that hangs must not hold up what else waits for a thread.
        self._threads = ThreadPoolExecutor(settings.blob_threads_max, thread_name_prefix="blobs")

    @classmethod
    def open(cls, settings: Settings) -> "Blobs":
        """The folder or bucket that settings name; folders are made."""
        folder = _folder_of(settings)
        incoming = (folder or settings.data_dir) / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(incoming)
        store = LocalStore(folder) if folder else _bucket(settings)
        return cls(store, folder, incoming, settings)

    def close(self) -> None:
        """End the threads, waiting for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def arrival(self, bytes_max: int) -> AsyncIterator[Arrival]:
        """Room for the bytes of one file; it is gone after the block unless `keep` named it.

        Raises:
            BusyError: as many files arrive as may at once.
        """
        if self.arrivals >= self._arrivals_max:
            raise BusyError
        self.arrivals += 1
        path = self._incoming / uuid.uuid4().hex
        arrival: Arrival | None = None
        try:
            arrival = Arrival(path, await self.run(_create, path), bytes_max, self)
            yield arrival
        finally:
            if arrival is None or not arrival.is_finished:
                self.arrivals -= 1
            await self.run(_discard, arrival, path)

    async def keep(self, school_id: UUID, arrival: Arrival) -> None:
        """Give finished bytes their name. When this returns, a power cut does not lose them.

        Raises:
            StorageDownError: the store did not take them.
        """
        if self._folder is not None:
            await self.run(_name, arrival.path, self._folder / _key(school_id, arrival.sha256))
            return
        async with self._puts:
            if not await self._has(school_id, arrival.sha256, arrival.size_bytes):
                await self._put(_key(school_id, arrival.sha256), arrival)

    async def keep_bytes(self, school_id: UUID, data: bytes) -> bytes:
        """Keep bytes that are in memory; their SHA-256."""
        async with self.arrival(len(data)) as arrival:
            await arrival.write(data)
            await arrival.finish()
            await self.keep(school_id, arrival)
            return arrival.sha256

    async def small(self, school_id: UUID, sha256: bytes, size_bytes: int) -> bytes | None:
        """The whole blob, from memory when somebody asked lately; None when it is too large for there or has no room.

        A class opens its worksheet at the same moment: handing over bytes costs half of what opening a file does.

        Raises:
            StorageDownError: the store does not answer, or lacks the blob.
        """
        if size_bytes > CHUNK_BYTES:
            return None
        key = (school_id, sha256)
        data = self._memory.get(key)
        if data is None:
            if not self._memory.has_room(size_bytes):
                return None
            data = await self.read(school_id, sha256, 0, size_bytes) if size_bytes else b""
            self._memory.keep(key, data)
        return data

    def path(self, school_id: UUID, sha256: bytes) -> str | None:
        """Where the server finds the whole file by itself; None when the store is a bucket."""
        return None if self._folder is None else f"{self._folder}/{_key(school_id, sha256)}"

    async def read(self, school_id: UUID, sha256: bytes, start: int, length: int) -> bytes:
        """At most `CHUNK_BYTES` bytes from `start`.

        Raises:
            StorageDownError: the store does not answer, or lacks the blob.
        """
        length = min(length, CHUNK_BYTES)
        async with self._reads:
            with _mapped():
                async with asyncio.timeout(self._timeout_s):
                    key = _key(school_id, sha256)
                    return bytes(await obstore.get_range_async(self._store, key, start=start, length=length))

    async def stream(self, school_id: UUID, sha256: bytes, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, in chunks; the next is read when the last was taken."""
        while start < end:
            chunk = await self.read(school_id, sha256, start, end - start)
            yield chunk
            start += len(chunk)

    async def remove(self, school_id: UUID, sha256: bytes) -> None:
        """Forget a blob; that it is gone already is fine."""
        self._memory.forget((school_id, sha256))
        with _mapped():
            async with asyncio.timeout(self._timeout_s):
                try:
                    await obstore.delete_async(self._store, _key(school_id, sha256))
                except FileNotFoundError:
                    return

    async def _has(self, school_id: UUID, sha256: bytes, size_bytes: int) -> bool:
        with _mapped():
            async with asyncio.timeout(self._timeout_s):
                try:
                    found = await obstore.head_async(self._store, _key(school_id, sha256))
                except FileNotFoundError:
                    return False
        return bool(found["size"] == size_bytes)

    async def _put(self, key: str, arrival: Arrival) -> None:
        # A part has the time that a whole call has: a large file takes longer than a small one.
        parts = arrival.size_bytes // _PART_BYTES + 1
        with _mapped():
            async with asyncio.timeout(self._timeout_s * parts):
                await obstore.put_async(self._store, key, arrival.path, chunk_size=_PART_BYTES, max_concurrency=2)

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call something that waits for the disk, in a thread of the store's own.

        Raises:
            StorageDownError: it failed or took too long.
        """
        loop = asyncio.get_running_loop()
        with _mapped():
            async with asyncio.timeout(self._timeout_s):
                return await loop.run_in_executor(self._threads, function, *arguments)


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError, TimeoutError) as error:
        raise StorageDownError from error


def _key(school_id: UUID, sha256: bytes) -> str:
    return f"{school_id}/{sha256.hex()}"


def _folder_of(settings: Settings) -> Path | None:
    if not settings.blobs_url:
        return settings.data_dir.absolute() / "blobs"
    url = urlsplit(settings.blobs_url)
    return Path(unquote(url.path)) if url.scheme == "file" else None


def _bucket(settings: Settings) -> Any:
    """Credentials and endpoint come from the environment, under the names that the bucket's own tools use."""
    timeout = timedelta(milliseconds=settings.blob_timeout_ms)
    return from_url(
        settings.blobs_url,
        client_options={"timeout": timeout, "connect_timeout": timeout / 4, "allow_http": True},
        retry_config={"max_retries": 2, "retry_timeout": timeout},
    )


def _remove_leftovers(incoming: Path) -> None:
    for path in incoming.iterdir():
        if path.stat().st_mtime < time.time() - _LEFTOVER_SECONDS:
            path.unlink(missing_ok=True)


def _create(path: Path) -> BinaryIO:
    return path.open("xb")


def _sync_and_close(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _discard(arrival: Arrival | None, path: Path) -> None:
    if arrival is not None:
        arrival.close()
    path.unlink(missing_ok=True)


def _name(arrived: Path, target: Path) -> None:
    if not target.parent.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync_folder(target.parent.parent)
    arrived.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
