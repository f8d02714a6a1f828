"""What a lesson is, and how a day of lessons stands against the clock."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID
from zlib import crc32
from zoneinfo import ZoneInfo

import msgspec

HUES = 8


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
    date: date
    starts_at: time
    ends_at: time
    title: str
    audience: str
    room: str
    public_note: str
    is_cancelled: bool
    teachers: tuple[str, ...]

    @property
    def hue(self) -> int:
        """The colour of the course: a subject has the same one in every class."""
        return hue_of(self.title)

    def state(self, now: datetime) -> State:
        """Against the clock of the school: `now` is in its zone. Never `NEXT`, which depends on the others."""
        if self.date != now.date():
            return State.PAST if self.date < now.date() else State.LATER
        clock = now.time()
        if self.ends_at <= clock:
            return State.PAST
        return State.NOW if self.starts_at <= clock else State.LATER


def hue_of(title: str) -> int:
    """The colour of whatever has this title, 0 to 7."""
    return crc32(title.encode()) % HUES


class Day(msgspec.Struct, frozen=True):
    """The lessons of one day, in order."""

    date: date
    lessons: tuple[Lesson, ...]


def days_of(lessons: Iterable[Lesson]) -> list[Day]:
    """The days on which there are lessons, in order."""
    by_date: dict[date, list[Lesson]] = {}
    for lesson in lessons:
        by_date.setdefault(lesson.date, []).append(lesson)
    return [Day(day, tuple(sorted(by_date[day], key=in_order))) for day in sorted(by_date)]


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


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant of a local time. An hour that the clock skips or repeats is read as before the change."""
    return datetime.combine(day, at, zone)


class CourseDays(msgspec.Struct, frozen=True):
    """The lessons of one course today, and those of the next day on which it has any."""

    today: tuple[Lesson, ...]
    next: tuple[Lesson, ...]


class OpenLesson(msgspec.Struct, frozen=True):
    """A lesson as somebody may open it. `private_note` is empty for whoever does not teach it."""

    lesson: Lesson
    is_taught: bool
    private_note: str
    is_cancelled_by_teacher: bool
