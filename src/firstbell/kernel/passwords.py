"""Hashing of passwords: argon2id in a bounded lane beside the event loop.

Parameters are OWASP's recommendation for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from firstbell.kernel.errors import BusyError

_Result = TypeVar("_Result")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """The argon2id hash of `password` in its standard text form; takes about 45 ms of one core."""
    return _HASHER.hash(password)


def matches(hashed: str, password: str) -> bool:
    """True when `hashed` is the hash of `password`, at the cost of making one."""
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


class PasswordLane:
    """Hashes `at_once` passwords in threads of its own (argon2 frees the interpreter); `waiting_max` wait."""

    def __init__(self, *, at_once: int, waiting_max: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="password")
        self._places = at_once + waiting_max
        self._taken = 0
        # Somebody who does not exist costs what somebody who does costs.
        self._nobody = hash_password(secrets.token_urlsafe())

    async def verify(self, password: str, hashed: str | None) -> bool:
        """True when `hashed` is the hash of `password`; None is nobody's hash, at the same cost.

        Raises:
            BusyError: the lane is full.
        """
        is_match = await self._run(matches, hashed or self._nobody, password)
        return is_match and hashed is not None

    async def hash(self, password: str) -> str:
        """As `hash_password`.

        Raises:
            BusyError: the lane is full.
        """
        return await self._run(hash_password, password)

    def close(self) -> None:
        """Let the hashes that run finish; those that wait are dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _run(self, work: Callable[..., _Result], *arguments: str) -> _Result:
        if self._taken >= self._places:
            raise BusyError
        self._taken += 1
        loop = asyncio.get_running_loop()
        future = self._threads.submit(work, *arguments)
        # A sign-in whose browser went away keeps its place until its thread is free.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        return await asyncio.wrap_future(future)

    def _leave(self) -> None:
        self._taken -= 1
