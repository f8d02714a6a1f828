"""What a lesson is, and how a day of lessons stands against the clock."""

from collections.abc import Sequence
from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

import msgspec

CourseKey = tuple[UUID, UUID]
"""School and course."""


class State(StrEnum):
    """Where a lesson stands against the clock; `NEXT` is the first to come while none is on."""

    PAST = "past"
    NOW = "now"
    NEXT = "next"
    LATER = "later"


class Material(msgspec.Struct, frozen=True, array_like=True):
    """A document for a lesson, as a chip shows it."""

    id: UUID
    name: str
    media_type: str


class Lesson(msgspec.Struct, frozen=True):
    """One slot of the timetable, in the local time of its school. Its private note is never part of it."""

    id: UUID
    school_id: UUID
    course_id: UUID
    folder_id: UUID
    date: date
    starts_at: time
    ends_at: time
    title: str
    audience: str
    room: str
    public_note: str
    is_cancelled: bool
    teachers: tuple[str, ...]

    def state(self, now: datetime) -> State:
        """Against the clock of the school: `now` is in its zone. Never `NEXT`, which depends on the others."""
        if self.date != now.date():
            return State.PAST if self.date < now.date() else State.LATER
        clock = now.time()
        if self.ends_at <= clock:
            return State.PAST
        return State.NOW if self.starts_at <= clock else State.LATER


class LessonCounts(msgspec.Struct, frozen=True):
    """How many lessons a school has on a day, is giving now, and had to cancel; the last day that is planned."""

    today: int
    now: int
    cancelled: int
    planned_until: date | None


def in_order(lesson: Lesson) -> tuple[time, time, str]:
    """The key by which lessons of a day are sorted."""
    return lesson.starts_at, lesson.ends_at, lesson.title


def states_of(lessons: Sequence[Lesson], now: datetime) -> list[State]:
    """The state of each lesson of a day, given in order; a cancelled one is never now or next."""
    states = [lesson.state(now) for lesson in lessons]
    for index, lesson in enumerate(lessons):
        if lesson.is_cancelled and states[index] is State.NOW:
            states[index] = State.LATER
    if State.NOW not in states:
        for index, lesson in enumerate(lessons):
            if states[index] is State.LATER and lesson.starts_at > now.time() and not lesson.is_cancelled:
                if lesson.date == now.date():
                    states[index] = State.NEXT
                break
    return states


class OpenLesson(msgspec.Struct, frozen=True):
    """A lesson as somebody may open it. `private_note` is empty for whoever does not teach it."""

    lesson: Lesson
    is_taught: bool
    private_note: str
    is_cancelled_by_teacher: bool
