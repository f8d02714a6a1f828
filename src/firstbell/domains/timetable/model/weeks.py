"""A week of lessons as a table."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta

import msgspec

from firstbell.domains.timetable.model.lessons import Lesson, in_order

SCHOOL_DAYS = 5


class Week(msgspec.Struct, frozen=True):
    """A week of the calendar by its Monday (ISO 8601)."""

    monday: date

    @classmethod
    def of(cls, day: date) -> "Week":
        """The week in which `day` falls."""
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def parse(cls, text: str) -> "Week | None":
        """The week of `2026-W47`; None for anything else."""
        year, _, number = text.partition("-W")
        if not (year.isdecimal() and number.isdecimal() and len(year) == 4 and len(number) == 2):  # noqa: PLR2004
            return None
        try:
            return cls(date.fromisocalendar(int(year), int(number), 1))
        except ValueError:
            return None

    def __str__(self) -> str:
        year, number, _ = self.monday.isocalendar()
        return f"{year:04}-W{number:02}"

    @property
    def number(self) -> int:
        """Its number in the year."""
        return self.monday.isocalendar().week

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    def moved(self, weeks: int) -> "Week":
        """So many weeks later. Weeks at the edge of the calendar stay where they are."""
        try:
            return Week(self.monday + timedelta(weeks=weeks))
        except OverflowError:
            return self


class Entry(msgspec.Struct, frozen=True):
    """A lesson in a week, as its reader wants it: `where` is the room and who, `now` whether it is on."""

    title: str
    where: str
    href: str
    hue: int
    now: bool
    is_cancelled: bool


class Cell(msgspec.Struct, frozen=True):
    """Lessons at one hour of one day of a week; `span` counts the hours that they last."""

    day: int
    span: int
    lessons: tuple[Entry, ...]


class Hour(msgspec.Struct, frozen=True):
    """One row of a week: a moment at which lessons begin, and what begins then."""

    starts: time
    cells: tuple[Cell, ...]


def days_in(week: Week, lessons: Sequence[Lesson]) -> list[date]:
    """Monday to Friday, and the weekend's days on which there are lessons or which lie before such a day."""
    last = max((lesson.date.weekday() for lesson in lessons), default=0)
    return [week.monday + timedelta(days=number) for number in range(max(SCHOOL_DAYS, last + 1))]


def hours_of(days: Sequence[date], lessons: Sequence[Lesson], entry: Callable[[Lesson], Entry]) -> list[Hour]:
    """A week as a table: a row for each moment at which something begins, cells that span the rows they last.

    Lessons of one day that overlap share a cell.
    """
    starts = sorted({lesson.starts_at for lesson in lessons})
    hours: list[list[Cell]] = [[] for _ in starts]
    for number, day in enumerate(days):
        row = 0
        for first, end, together in _blocks([lesson for lesson in lessons if lesson.date == day], starts):
            for free in range(row, first):
                hours[free].append(Cell(number, 1, ()))
            hours[first].append(Cell(number, end - first, tuple([entry(lesson) for lesson in together])))
            row = end
        for free in range(row, len(starts)):
            hours[free].append(Cell(number, 1, ()))
    return [Hour(moment, tuple(cells)) for moment, cells in zip(starts, hours, strict=True)]


def _blocks(lessons: list[Lesson], starts: list[time]) -> list[tuple[int, int, list[Lesson]]]:
    """The lessons of a day that share a cell, with the row in which it begins and the first after it."""
    blocks: list[tuple[int, int, list[Lesson]]] = []
    for lesson in sorted(lessons, key=in_order):
        first, end = starts.index(lesson.starts_at), bisect_left(starts, lesson.ends_at)
        if blocks and first < blocks[-1][1]:
            begin, known_end, together = blocks[-1]
            blocks[-1] = (begin, max(end, known_end), [*together, lesson])
        else:
            blocks.append((first, end, [lesson]))
    return blocks
