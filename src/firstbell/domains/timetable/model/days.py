"""The line of a day: its lessons in order, as they stand against the clock."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from firstbell.domains.courses.model import hue_of
from firstbell.domains.documents.model import kind_of
from firstbell.domains.timetable.model.lessons import Lesson, Material, State, in_order, states_of

PAUSE = timedelta(minutes=10)
"""What is shorter is the way to another room."""

LONGEST_BREAK = timedelta(minutes=30)
"""What is longer is time to do something else."""


class Chip(msgspec.Struct, frozen=True):
    """A document to open from a lesson."""

    href: str
    name: str
    kind: str


class Card(msgspec.Struct, frozen=True):
    """A lesson as the line of a day shows it; made once for everybody who follows the course."""

    lesson: Lesson
    starts: datetime
    ends: datetime
    href: str
    hue: int
    chips: tuple[Chip, ...] = ()
    drawn: dict[str, Markup] = {}
    """What pages made of it, by how it stood and for whom: everybody of the course gets the same."""

    @classmethod
    def of(cls, lesson: Lesson, zone: ZoneInfo) -> "Card":
        """The card of a lesson in a school of this zone, without material."""
        starts, ends = (datetime.combine(lesson.date, at, zone) for at in (lesson.starts_at, lesson.ends_at))
        return cls(lesson, starts, ends, f"/lessons/{lesson.id}", hue_of(lesson.title))

    def with_material(self, material: Mapping[UUID, Sequence[Material]]) -> "Card":
        """The same with the documents that `material` has for it."""
        listed = material.get(self.lesson.id)
        if not listed:
            return self
        at = f"/courses/{self.lesson.course_id}/documents"
        chips = tuple([Chip(f"{at}/{one.id}", one.name, kind_of(one.media_type)) for one in listed])
        return msgspec.structs.replace(self, chips=chips, drawn={})


class CourseCards(msgspec.Struct, frozen=True, eq=False):
    """What everybody of a course shares of a day: its lessons today, and on the next day on which it has any.

    Equal to itself alone: what was drawn of it holds until the cards are made anew.
    """

    today: tuple[Card, ...]
    next: tuple[Card, ...]

    @property
    def folder_id(self) -> UUID | None:
        """The folder of the course, whence the material comes; None without lessons."""
        return next((card.lesson.folder_id for card in (*self.today, *self.next)), None)

    @classmethod
    def of(cls, today: Iterable[Lesson], following: Iterable[Lesson], zone: ZoneInfo) -> "CourseCards":
        """The cards of lessons in a school of this zone, without material."""
        return cls(tuple([Card.of(one, zone) for one in today]), tuple([Card.of(one, zone) for one in following]))

    def with_material(self, material: Mapping[UUID, Sequence[Material]]) -> "CourseCards":
        """The same with the documents that `material` has for each lesson."""
        return CourseCards(
            tuple([card.with_material(material) for card in self.today]),
            tuple([card.with_material(material) for card in self.next]),
        )


class Line(msgspec.Struct, frozen=True):
    """One lesson in the line of a day. `free_until` says that nothing is on before it; in a break only for a moment."""

    card: Card
    state: State
    free_until: datetime | None
    is_break: bool

    @property
    def key(self) -> str:
        """How it stands, in short."""
        return f"{self.state}{self.free_until is not None}{self.is_break}"


class DayLine(msgspec.Struct, frozen=True):
    """The lessons of one day, in order, as they stand now."""

    date: date
    lines: tuple[Line, ...]


class Today(msgspec.Struct, frozen=True):
    """What somebody has on a day, and on the next day on which there is anything."""

    today: DayLine
    next: DayLine | None

    @property
    def is_over(self) -> bool:
        """True when the last lesson of the day has ended, or there is none."""
        return all(line.state is State.PAST for line in self.today.lines)


def today_of(cards: Iterable[CourseCards], day: date, now: datetime) -> Today:
    """The day of somebody who has these courses, as it stands at a local time."""
    today: list[Card] = []
    coming: list[Card] = []
    for one in cards:
        today.extend(one.today)
        coming.extend(one.next)
    first = min([card.lesson.date for card in coming], default=None)
    following = [card for card in coming if card.lesson.date == first]
    return Today(day_line(day, today, now), None if first is None else day_line(first, following, now))


def day_line(day: date, cards: list[Card], now: datetime) -> DayLine:
    """The line of a day at a local time."""
    cards.sort(key=lambda card: in_order(card.lesson))
    lines = []
    free_from: datetime | None = None
    for card, state in zip(cards, states_of([card.lesson for card in cards], now), strict=True):
        pause = timedelta(0) if free_from is None else card.starts - free_from
        lines.append(Line(card, state, card.starts if pause >= PAUSE else None, pause < LONGEST_BREAK))
        free_from = card.ends if free_from is None else max(free_from, card.ends)
    return DayLine(day, tuple(lines))
