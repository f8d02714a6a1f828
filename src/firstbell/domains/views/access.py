"""What somebody's courses have for them today."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from firstbell.domains.courses import queries as courses
from firstbell.domains.timetable.model.lessons import CourseKey
from firstbell.domains.views.model import CourseNews
from firstbell.kernel.clock import Clock
from firstbell.kernel.db import Transaction
from firstbell.kernel.shared import Shared
from firstbell.settings import Settings

_Key = tuple[UUID, UUID, datetime]
"""School, course, and since when."""


class SharedNews:
    """The documents that were added to courses in the last days, worked out once for all who follow them."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._days = timedelta(days=settings.new_documents_days)
        self._most = settings.new_documents_max
        self._shared: Shared[_Key, CourseNews] = Shared(
            seconds=settings.shared_seconds, entries_max=settings.shared_courses_max, now_s=clock.seconds
        )

    async def of(
        self, tx: Transaction, course_keys: Sequence[CourseKey], today: date, zone: ZoneInfo
    ) -> list[CourseNews]:
        """The new documents of each course.

        Raises:
            PartFailedError: they cannot be had now.
        """
        since = datetime.combine(today - self._days, time(), zone)
        return await self._shared.get([(*key, since) for key in course_keys], partial(self._ask, tx))

    async def hear_documents(self, root_ids: Sequence[UUID]) -> None:
        """Documents in these folders are not what they were."""
        changed = set(root_ids)
        self._shared.forget(lambda _, news: news is None or news.folder_id in changed)

    async def _ask(self, tx: Transaction, keys: Sequence[_Key]) -> dict[_Key, CourseNews]:
        since = keys[0][2]
        async with tx.apart("documents"):
            found = await courses.list_new_documents(tx, [key[:2] for key in keys], since, most=self._most)
        return {(*course, since): CourseNews.of(course[1], *news) for course, news in found.items()}
