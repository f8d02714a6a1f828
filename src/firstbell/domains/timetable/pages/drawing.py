"""Lessons as HTML. What everybody of a course gets is drawn once and kept with the card."""

from markupsafe import Markup

from firstbell.domains.timetable.model.days import DayLine
from firstbell.domains.timetable.model.lessons import Lesson
from firstbell.kernel.html import macro


def where(lesson: Lesson, *, for_teacher: bool) -> str:
    """What stands under the title: a teacher wants to know which class, the others who teaches."""
    people = lesson.audience if for_teacher else ", ".join(lesson.teachers)
    parts = (people, lesson.room) if for_teacher else (lesson.room, people)
    return " · ".join([part for part in parts if part])


def draw_day(day: DayLine, locale: str, *, for_teacher: bool = False) -> Markup:
    """The lines of a day, each with its note and material."""
    draw = macro(locale, "timetable/parts.html", "line")
    lines = []
    for line in day.lines:
        drawn, key = line.card.drawn, f"{locale}{line.key}{for_teacher}"
        if key not in drawn:
            drawn[key] = draw(line, where(line.card.lesson, for_teacher=for_teacher), for_teacher)
        lines.append(drawn[key])
    return Markup("").join(lines)


def draw_rows(day: DayLine, locale: str, *, for_teacher: bool = False) -> Markup:
    """The lessons of a day in short."""
    draw = macro(locale, "timetable/parts.html", "row")
    key = f"{locale}row{for_teacher}"
    rows = []
    for line in day.lines:
        drawn = line.card.drawn
        if key not in drawn:
            drawn[key] = draw(line.card, for_teacher)
        rows.append(drawn[key])
    return Markup("").join(rows)
