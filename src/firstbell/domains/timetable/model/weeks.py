"""A week of lessons as a table."""

from collections.abc import Sequence
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


class Cell(msgspec.Struct, frozen=True):
    """Lessons at one hour of one day of a week; `span` counts the hours that they last."""

    day: int
    span: int
    lessons: tuple[Lesson, ...]


class Hour(msgspec.Struct, frozen=True):
    """One row of a week: a moment at which lessons begin, and what begins then."""

    starts: time
    cells: tuple[Cell, ...]


def days_in(week: Week, lessons: Sequence[Lesson]) -> list[date]:
    """Monday to Friday, and the weekend's days on which there are lessons or which lie before such a day."""
    last = max((lesson.date.weekday() for lesson in lessons), default=0)
    return [week.monday + timedelta(days=number) for number in range(max(SCHOOL_DAYS, last + 1))]


def hours_of(days: Sequence[date], lessons: Sequence[Lesson]) -> list[Hour]:
    """A week as a table: a row for each moment at which something begins, cells that span the rows they last.

    Lessons of one day that overlap share a cell.
    """
    starts = sorted({lesson.starts_at for lesson in lessons})
    columns = [_cells([lesson for lesson in lessons if lesson.date == day], starts) for day in days]
    rows = []
    for row, moment in enumerate(starts):
        cells = [
            msgspec.structs.replace(cell, day=number)
            for number, column in enumerate(columns)
            if (cell := column.get(row)) is not None
        ]
        rows.append(Hour(moment, tuple(cells)))
    return rows


def _cells(lessons: list[Lesson], starts: list[time]) -> dict[int, Cell]:
    """The cells of one day by the row in which they begin; rows under a longer cell are left out."""
    blocks: list[tuple[int, int, list[Lesson]]] = []
    for lesson in sorted(lessons, key=in_order):
        first = starts.index(lesson.starts_at)
        end = first + sum(1 for moment in starts[first:] if moment < lesson.ends_at)
        if blocks and first < blocks[-1][1]:
            begin, known_end, together = blocks[-1]
            blocks[-1] = (begin, max(end, known_end), [*together, lesson])
        else:
            blocks.append((first, end, [lesson]))
    cells = {first: Cell(0, end - first, tuple(together)) for first, end, together in blocks}
    covered = {row for first, end, _ in blocks for row in range(first + 1, end)}
    for row in range(len(starts)):
        if row not in cells and row not in covered:
            cells[row] = Cell(0, 1, ())
    return cells
