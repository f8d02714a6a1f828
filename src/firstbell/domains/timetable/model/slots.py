"""Lessons as a file says them, and how its words find courses and teachers."""

from collections.abc import Iterable
from datetime import date, time
from uuid import UUID

import msgspec


class Slot(msgspec.Struct, frozen=True):
    """A lesson as a file says it. `place` is where in the file; what is empty was not said."""

    place: str
    source_id: str
    date: date
    starts_at: time
    ends_at: time
    course: str
    title: str
    classes: tuple[str, ...]
    teachers: tuple[str, ...]
    room: str
    public_note: str
    private_note: str
    is_cancelled: bool = False


class Rejection(msgspec.Struct, frozen=True):
    """What a file says and we cannot accept: where, in which column or property, and why."""

    place: str
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}, {self.column}: {self.reason}"


class WrongError(ValueError):
    """A value of a file is wrong: in which column or property, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason

    def at(self, place: str) -> Rejection:
        """As it is told."""
        return Rejection(place, self.column, self.reason)


class Planned(msgspec.Struct, frozen=True):
    """A slot whose course and teachers were found."""

    slot: Slot
    course_id: UUID
    teacher_ids: tuple[UUID, ...]


class KnownCourse(msgspec.Struct, frozen=True):
    """A course as a file may name it."""

    id: UUID
    source_id: str
    title: str
    audience: str
    class_name: str | None
    teacher_ids: tuple[UUID, ...]
    """In the order of their ids, as those of a lesson are compared."""


class Directory:
    """The courses and teachers of a school, by the words that a file has for them."""

    def __init__(self, courses: Iterable[KnownCourse], teachers: Iterable[tuple[UUID, str, str | None]]) -> None:
        self._by_source: dict[str, KnownCourse] = {}
        self._by_title: dict[str, list[KnownCourse]] = {}
        for course in courses:
            self._by_source[course.source_id] = course
            self._by_title.setdefault(_plain(course.title), []).append(course)
        self._teachers: dict[str, UUID] = {}
        for person_id, sign_in_name, email in teachers:
            self._teachers[_plain(sign_in_name)] = person_id
            if email:
                self._teachers.setdefault(_plain(email), person_id)

    def find(self, slot: Slot) -> Planned | Rejection:
        """The slot with its course and its teachers (the course's own when the file names none)."""
        try:
            course = self._course(slot)
            teacher_ids = sorted({self._teacher(name) for name in slot.teachers})
        except WrongError as error:
            return error.at(slot.place)
        return Planned(slot, course.id, tuple(teacher_ids) or course.teacher_ids)

    def _teacher(self, name: str) -> UUID:
        person_id = self._teachers.get(_plain(name))
        if person_id is None:
            raise WrongError("teachers", f"no teacher has the sign-in name or e-mail address {name[:200]!r}")
        return person_id

    def _course(self, slot: Slot) -> KnownCourse:
        known = self._by_source.get(slot.course)
        if known is not None:
            return known
        named = self._by_title.get(_plain(slot.title), [])
        wanted = {_plain(name) for name in slot.classes}
        found = [course for course in named if not wanted or wanted in _audiences(course)]
        if len(found) == 1:
            return found[0]
        words = " ".join(filter(None, (slot.title or slot.course, "+".join(slot.classes))))[:200]
        raise WrongError("course", f"several courses are {words!r}" if found else f"there is no course {words!r}")


def _audiences(course: KnownCourse) -> tuple[set[str], ...]:
    """The sets of names by which a file may mean the pupils of a course: its class, its group, its classes."""
    return (
        {_plain(course.class_name or course.audience)},
        {_plain(course.audience)},
        {_plain(name) for name in course.audience.split("+")},
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


class Change(msgspec.Struct, frozen=True):
    """What an import did, or would do. `outside` counts lessons beyond the days that were asked for."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    cancelled: int = 0
    unchanged: int = 0
    outside: int = 0
    rejected: int = 0
    rejections: tuple[Rejection, ...] = ()
