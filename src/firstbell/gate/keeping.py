"""Keeps what a worker must not forget when it ends: written each second beside the event loop, read at the start."""

import asyncio
import fcntl
import math
import os
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import structlog

from firstbell.gate.bearable import Bearable
from firstbell.gate.sharing import Part, pack
from firstbell.gate.waiting import WaitingRoom
from firstbell.kernel.clock import Clock

log = structlog.get_logger("firstbell.gate")

ROOM, COST = ".room", ".cost"
"""What the names of the files end with."""

Cost = Annotated[float, msgspec.Meta(gt=0, le=1)]
"""Seconds of a core; a request that takes none or more than one is a damaged file."""

_Kept = TypeVar("_Kept")

WORKERS_MAX = 64
"""More workers than any node has cores for; beyond it a room is not kept."""


class Keeper:
    """The files of one worker in the data folder: its waiting room, and what a request costs it.

    Each worker has the first number that nobody else holds.
    """

    def __init__(self, folder: Path, room: WaitingRoom, bearable: Bearable, clock: Clock) -> None:
        self._folder = folder
        self._room = room
        self._bearable = bearable
        self._clock = clock
        self._lock: int | None = None
        self._path = folder
        self._writing: asyncio.Future[None] | None = None
        self._kept: dict[str, bytes] = {}

    def start(self) -> None:
        """Take a number, what an earlier worker left in it, and what its neighbours counted."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(WORKERS_MAX):
            lock = os.open(self._folder / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            self._lock, self._path = lock, self._folder / str(number)
            self._restore()
            return

    def keep(self) -> None:
        """Write what changed if the last writing is done; the disk is never waited for."""
        if self._lock is None or (self._writing is not None and not self._writing.done()):
            return
        changed = {suffix: data for suffix, data in self._snapshots().items() if data != self._kept.get(suffix)}
        if changed:
            self._kept |= changed
            self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, changed))

    async def stop(self) -> None:
        """Write the last state and free the number."""
        if self._lock is None:
            return
        if self._writing is not None:
            await self._writing
        await asyncio.to_thread(self._write, self._snapshots())
        os.close(self._lock)
        self._lock = None

    def _restore(self) -> None:
        now = self._clock.seconds()
        own_room, cost_s = self._path.with_suffix(ROOM), self._read(self._path.with_suffix(COST), Cost)
        if cost_s is not None:
            self._bearable.resume(cost_s)
        own = self._read(own_room, Part)
        if own is not None:
            self._room.restore(own, now)
        for path in sorted(self._folder.glob(f"*{ROOM}")):
            neighbour = None if path == own_room else self._read(path, Part)
            if neighbour is not None:
                # Its counts and cursors; whether it still lets people in, it says itself.
                self._room.hear(msgspec.structs.replace(neighbour, rate_per_s=math.inf), now)

    def _snapshots(self) -> dict[str, bytes]:
        return {ROOM: pack(self._room.snapshot()), COST: msgspec.msgpack.encode(self._bearable.cost_s)}

    def _read(self, path: Path, kind: type[_Kept]) -> _Kept | None:
        try:
            return msgspec.msgpack.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("gate not restored", file=path.name, reason=str(error))
            return None

    def _write(self, snapshots: dict[str, bytes]) -> None:
        for suffix, data in snapshots.items():
            fresh = self._path.with_suffix(f"{suffix}.fresh")
            try:
                fresh.write_bytes(data)
                fresh.replace(self._path.with_suffix(suffix))
            except OSError as error:
                log.warning("gate not kept", reason=str(error))
