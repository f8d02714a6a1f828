"""Who may see a lesson, and who may write in it; the days of somebody's courses."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from firstbell.domains.people.model import Viewer
from firstbell.domains.timetable import queries
from firstbell.domains.timetable.model.days import CourseCards
from firstbell.domains.timetable.model.lessons import CourseKey, Lesson, Material, OpenLesson
from firstbell.kernel.clock import Clock
from firstbell.kernel.db import PartFailedError, Transaction
from firstbell.kernel.errors import NotAllowedError, NotFoundError
from firstbell.kernel.shared import Shared
from firstbell.settings import Settings

_Key = tuple[UUID, UUID, date]
"""School, course, and the day from which is looked."""


async def access_lesson(tx: Transaction, viewer: Viewer, lesson_id: UUID) -> OpenLesson:
    """The lesson, for whoever teaches or follows it, for their parents, and for the staff of its school.

    Raises:
        NotFoundError: there is no such lesson for this viewer.
    """
    opened = await queries.find_lesson(
        tx,
        lesson_id,
        school_id=viewer.school_id,
        person_id=viewer.person_id,
        is_staff=viewer.is_staff,
        family=[(member.school_id, member.person_id) for member in viewer.family],
    )
    if opened is None:
        raise NotFoundError
    return opened


async def access_taught_lesson(tx: Transaction, viewer: Viewer, lesson_id: UUID) -> OpenLesson:
    """The lesson, for whoever teaches it: the teachers of its course and of this one lesson.

    Raises:
        NotFoundError: there is no such lesson for this viewer.
        NotAllowedError: the viewer may see it only.
    """
    opened = await access_lesson(tx, viewer, lesson_id)
    if not opened.is_taught:
        raise NotAllowedError
    return opened


class Days(msgspec.Struct, frozen=True):
    """The lessons around a day; without `has_material` their documents cannot be had now."""

    cards: list[CourseCards]
    has_material: bool


class SharedCards:
    """The lessons of courses around a day with their material, worked out once for all who follow them.

    Who follows a course is asked anew for every page; only what the course shares is kept.
    """

    def __init__(self, settings: Settings, clock: Clock, zone_of: Callable[[UUID], ZoneInfo]) -> None:
        def shared() -> Shared[_Key, CourseCards]:
            return Shared(seconds=settings.shared_seconds, entries_max=settings.shared_courses_max, now_s=clock.seconds)

        self._zone_of = zone_of
        self._bare = shared()
        self._full = shared()

    async def of_courses(self, tx: Transaction, courses: Sequence[CourseKey], today: date) -> Days:
        """The cards of each course, in their order. Whoever calls has asked which courses the reader follows."""
        keys = [(*course, today) for course in courses]
        try:
            return Days(await self._full.get(keys, partial(self._add_material, tx)), has_material=True)
        except PartFailedError:
            return Days(await self._bare.get(keys, partial(self._list_lessons, tx)), has_material=False)

    async def of_teacher(self, tx: Transaction, school_id: UUID, person_id: UUID, today: date) -> Days:
        """The cards of what somebody teaches."""
        lessons = await queries.list_teacher_days(tx, school_id, person_id, today)
        cards = CourseCards.of(
            [lesson for lesson in lessons if lesson.date == today],
            [lesson for lesson in lessons if lesson.date > today],
            self._zone_of(school_id),
        )
        try:
            return Days([cards.with_material(await _list_material(tx, lessons))], has_material=True)
        except PartFailedError:
            return Days([cards], has_material=False)

    async def hear_lessons(self, subject_ids: Sequence[UUID]) -> None:
        """Lessons of these courses, or of all courses of these schools, are not what they were."""
        changed = set(subject_ids)
        for shared in (self._bare, self._full):
            shared.forget(lambda key, _: key[0] in changed or key[1] in changed)

    async def hear_documents(self, root_ids: Sequence[UUID]) -> None:
        """Documents in these folders are not what they were."""
        changed = set(root_ids)
        self._full.forget(lambda _, cards: cards is None or cards.folder_id in changed)

    async def _list_lessons(self, tx: Transaction, keys: Sequence[_Key]) -> dict[_Key, CourseCards]:
        today = keys[0][2]
        days = await queries.list_course_days(tx, [key[:2] for key in keys], today)
        return {key: CourseCards.of(*days[key[:2]], self._zone_of(key[0])) for key in keys}

    async def _add_material(self, tx: Transaction, keys: Sequence[_Key]) -> dict[_Key, CourseCards]:
        bare = await self._bare.get(keys, partial(self._list_lessons, tx))
        material = await _list_material(tx, [card.lesson for cards in bare for card in (*cards.today, *cards.next)])
        return {key: cards.with_material(material) for key, cards in zip(keys, bare, strict=True)}


async def _list_material(tx: Transaction, lessons: Sequence[Lesson]) -> dict[UUID, tuple[Material, ...]]:
    if not lessons:
        return {}
    async with tx.apart("material"):
        return await queries.list_material(tx, [(lesson.school_id, lesson.id) for lesson in lessons])
