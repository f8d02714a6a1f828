"""What many ask for at once is worked out once: a bounded cache in which equal questions wait for one answer.

It holds what a class shares, never who may see it. A change that is heard of makes it forget; what nobody told it is
forgotten after a while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Shared(Generic[K, V]):
    """Answers by key, each kept for `seconds`, at most `entries_max` of them."""

    def __init__(self, *, seconds: float, entries_max: int, now_s: Callable[[], float]) -> None:
        self._seconds = seconds
        self._entries_max = entries_max
        self._now_s = now_s
        self._answers: dict[K, tuple[float, V]] = {}
        self._asked: dict[K, asyncio.Future[V]] = {}

    async def get(self, keys: Sequence[K], ask: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> list[V]:
        """The answers to `keys`, in their order. `ask` works out those that nobody knows or has asked for yet.

        Raises what `ask` raised, also to whoever waited for it.
        """
        now_s = self._now_s()
        kept = [self._answers.get(key) for key in keys]
        fresh = [answer[1] for answer in kept if answer is not None and answer[0] > now_s]
        if len(fresh) == len(keys):
            return fresh
        found = {key: kept_one[1] for key, kept_one in zip(keys, kept, strict=True) if kept_one and kept_one[0] > now_s}
        while missing := [key for key in keys if key not in found]:
            waiting = [(key, self._asked[key]) for key in missing if key in self._asked]
            alone = [key for key in missing if key not in self._asked]
            if alone:
                found.update(await self._ask(list(dict.fromkeys(alone)), ask))
            for key, future in waiting:
                try:
                    found[key] = await asyncio.shield(future)
                except _AbandonedError:
                    continue
        return [found[key] for key in keys]

    def forget(self, changed: Callable[[K, V | None], bool]) -> None:
        """What `changed` says is true of is answered anew at the next question.

        An answer under way (None, nobody knows it yet) is given to those who wait, and not kept.
        """
        for key in [key for key, (_, answer) in self._answers.items() if changed(key, answer)]:
            del self._answers[key]
        for key in [key for key in self._asked if changed(key, None)]:
            del self._asked[key]

    async def _ask(self, keys: list[K], ask: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> Mapping[K, V]:
        loop = asyncio.get_running_loop()
        futures = {key: loop.create_future() for key in keys}
        self._asked.update(futures)
        error: BaseException = _AbandonedError()
        try:
            answers = await ask(keys)
        except Exception as failure:
            error = failure
            raise
        else:
            self._keep(futures, answers)
            return answers
        finally:
            for key, future in futures.items():
                if self._asked.get(key) is future:
                    del self._asked[key]
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # nobody may be waiting; that is no fault

    def _keep(self, futures: Mapping[K, "asyncio.Future[V]"], answers: Mapping[K, V]) -> None:
        until_s = self._now_s() + self._seconds
        for key, future in futures.items():
            future.set_result(answers[key])
            if self._asked.get(key) is future:
                self._answers.pop(key, None)
                self._answers[key] = (until_s, answers[key])
        while len(self._answers) > self._entries_max:
            del self._answers[next(iter(self._answers))]


class _AbandonedError(Exception):
    """Whoever asked went away before the answer came."""
