"""Writes a school's lessons as a CSV file with one row for each lesson of each day.

`course` is the title of the course, `teachers` are sign-in names and `class` the names
of the classes, both separated by semicolons. Dates are ISO 8601, times hours and minutes.
"""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from firstbell.rehearsal.world.model import School
from firstbell.rehearsal.world.notes import lesson_notes
from firstbell.rehearsal.world.schoolyear import monday_of
from firstbell.rehearsal.world.timetable import lesson_days, weekly_lessons

COLUMNS = ("date", "start", "end", "course", "teachers", "class", "room", "public_note", "private_note")


def write_timetable_csv(school: School, path: Path, first_day: date, weeks: int) -> None:
    """Write the lessons of so many weeks, from the week of `first_day` on."""
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows(sorted(_rows(school, monday_of(first_day), weeks)))


def _rows(school: School, monday: date, weeks: int) -> Iterator[tuple[str, ...]]:
    sign_in_names = {person.id: person.sign_in_name for person in school.staff}
    classes = {group.id: group.name for group in school.classes}
    for lesson in weekly_lessons(school):
        for day, takes_place in lesson_days(school, lesson, monday, weeks).items():
            if takes_place:
                yield (
                    day.isoformat(),
                    f"{lesson.start:%H:%M}",
                    f"{lesson.end:%H:%M}",
                    lesson.course.title,
                    ";".join(sign_in_names[teacher_id] for teacher_id in lesson.course.teacher_ids),
                    ";".join(classes[class_id] for class_id in lesson.course.class_ids),
                    lesson.room,
                    *lesson_notes(school, lesson, day),
                )
