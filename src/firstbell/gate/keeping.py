"""Keeps what a worker must not forget when it ends: written each second beside the event loop, read at the start."""

import asyncio
import fcntl
import math
import os
from pathlib import Path

import msgspec
import structlog

from firstbell.gate.bearable import Bearable
from firstbell.gate.sharing import Part
from firstbell.gate.waiting import WaitingRoom
from firstbell.kernel.clock import Clock

log = structlog.get_logger("firstbell.gate")

WORKERS_MAX = 64
"""More workers than any node has cores for; beyond it a room is not kept."""


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """The waiting room of a worker, and how much of its core a request took, in seconds."""

    room: Part
    cost_s: float


class Keeper:
    """The file of one worker in the data folder. Each worker holds the first that nobody else holds."""

    def __init__(self, folder: Path, room: WaitingRoom, bearable: Bearable, clock: Clock) -> None:
        self._folder = folder
        self._room = room
        self._bearable = bearable
        self._clock = clock
        self._file: int | None = None
        self._path = folder
        self._writing: asyncio.Future[None] | None = None
        self._kept = b""

    def start(self) -> None:
        """Take a file, what an earlier worker left in it, and what its neighbours counted."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(WORKERS_MAX):
            lock = os.open(self._folder / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            self._file, self._path = lock, self._folder / f"{number}.room"
            self._restore()
            return

    def keep(self) -> None:
        """Write what changed if the last writing is done; the disk is never waited for."""
        if self._file is None or (self._writing is not None and not self._writing.done()):
            return
        snapshot = self._snapshot()
        if snapshot != self._kept:
            self._kept = snapshot
            self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, snapshot))

    async def stop(self) -> None:
        """Write the last state and free the file."""
        if self._file is None:
            return
        if self._writing is not None:
            await self._writing
        await asyncio.to_thread(self._write, self._snapshot())
        os.close(self._file)
        self._file = None

    def _restore(self) -> None:
        now = self._clock.seconds()
        own = self._read(self._path)
        if own is not None:
            self._room.restore(own.room, now)
            self._bearable.resume(own.cost_s)
        for path in sorted(self._folder.glob("*.room")):
            neighbour = None if path == self._path else self._read(path)
            if neighbour is not None:
                # Its counts and cursors; whether it still lets people in, it says itself.
                self._room.hear(msgspec.structs.replace(neighbour.room, rate_per_s=math.inf), now)

    def _snapshot(self) -> bytes:
        return msgspec.msgpack.encode(Kept(self._room.snapshot(), self._bearable.cost_s))

    def _read(self, path: Path) -> Kept | None:
        try:
            return msgspec.msgpack.decode(path.read_bytes(), type=Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("waiting room not restored", reason=str(error))
            return None

    def _write(self, snapshot: bytes) -> None:
        fresh = self._path.with_suffix(".fresh")
        try:
            fresh.write_bytes(snapshot)
            fresh.replace(self._path)
        except OSError as error:
            log.warning("waiting room not kept", reason=str(error))
