"""What many ask for at once is worked out once."""

import asyncio
from collections.abc import Sequence

import pytest

from firstbell.kernel.shared import Shared


class Source:
    """Answers with how often it was asked; waits until it may."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.may_answer = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(keys))
        number = len(self.asked)
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return dict.fromkeys(keys, number)


def shared(*, now_s: float = 0.0, entries_max: int = 10) -> Shared[str, int]:
    return Shared(seconds=60, entries_max=entries_max, now_s=lambda: now_s)


async def begin(kept: Shared[str, int], keys: str, source: Source) -> "asyncio.Task[list[int]]":
    """Ask for keys of one letter each, and let the question reach the source."""
    task = asyncio.create_task(kept.get(list(keys), source))
    await asyncio.sleep(0)
    return task


def test_equal_questions_wait_for_one_answer() -> None:
    async def play() -> None:
        kept, source = shared(), Source()
        first = await begin(kept, "ab", source)
        second = await begin(kept, "bc", source)
        source.may_answer.set()
        assert await first == [1, 1]
        assert await second == [1, 2]
        assert await kept.get(["a", "c"], source) == [1, 2]
        assert source.asked == [["a", "b"], ["c"]]

    asyncio.run(play())


def test_an_answer_is_forgotten_after_its_time() -> None:
    async def play() -> None:
        now_s = 0.0
        kept: Shared[str, int] = Shared(seconds=60, entries_max=10, now_s=lambda: now_s)
        source = Source()
        source.may_answer.set()
        await kept.get(["a"], source)
        now_s = 59.0
        assert await kept.get(["a"], source) == [1]
        now_s = 60.0
        assert await kept.get(["a"], source) == [2]

    asyncio.run(play())


def test_a_change_during_the_question_keeps_no_old_answer() -> None:
    async def play() -> None:
        kept, source = shared(), Source()
        asking = await begin(kept, "a", source)
        kept.forget(lambda key, _: key == "a")
        source.may_answer.set()
        assert await asking == [1]
        assert await kept.get(["a"], source) == [2]

    asyncio.run(play())


def test_a_failure_reaches_whoever_waited_and_is_not_kept() -> None:
    async def play() -> None:
        kept, source = shared(), Source()
        source.error = ValueError("down")
        first, second = await begin(kept, "a", source), await begin(kept, "a", source)
        source.may_answer.set()
        for asking in (first, second):
            with pytest.raises(ValueError, match="down"):
                await asking
        source.error = None
        assert await kept.get(["a"], source) == [2]

    asyncio.run(play())


def test_whoever_waits_asks_anew_when_the_first_goes_away() -> None:
    async def play() -> None:
        kept, source = shared(), Source()
        first, second = await begin(kept, "a", source), await begin(kept, "a", source)
        first.cancel()
        source.may_answer.set()
        assert await second == [2]

    asyncio.run(play())


def test_the_oldest_answers_make_room() -> None:
    async def play() -> None:
        kept, source = shared(entries_max=2), Source()
        source.may_answer.set()
        for key in "abc":
            await kept.get([key], source)
        assert await kept.get(["c"], source) == [3]
        assert await kept.get(["a"], source) == [4]

    asyncio.run(play())
