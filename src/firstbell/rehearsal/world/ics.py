"""Writes a school's timetable as an iCalendar file (RFC 5545), the way timetable programs export it.

Every weekly lesson is one VEVENT that repeats, without the holidays (EXDATE) and with the open day (RDATE);
a lesson with a note has a VEVENT of its own for that day (RECURRENCE-ID). An importer finds its way by

- `X-FIRSTBELL-COURSE`: the sourcedId of the course's row in classes.csv of the roster;
- `CATEGORIES`: the names of the classes;
- `ORGANIZER` and `ATTENDEE`: the first teacher and all teachers, by e-mail address;
- `SUMMARY`: the title of the course; `LOCATION`: the room; `DESCRIPTION`: the public note;
- `X-FIRSTBELL-PRIVATE-NOTE`: what the teachers noted for themselves.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

from firstbell.rehearsal.world.model import Person, School
from firstbell.rehearsal.world.notes import lesson_notes
from firstbell.rehearsal.world.schoolyear import monday_of
from firstbell.rehearsal.world.timetable import Lesson, lesson_days, weekly_lessons

LINE_BYTES_MAX = 75  # RFC 5545, section 3.1: longer lines are folded
TIME_ZONE = """\
BEGIN:VTIMEZONE
TZID:Europe/Brussels
BEGIN:DAYLIGHT
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
END:STANDARD
END:VTIMEZONE""".splitlines()


def write_ics(school: School, path: Path, first_day: date, weeks: int) -> None:
    """Write the lessons of so many weeks, from the week of `first_day` on.

    Days outside the school year's lesson days are left out.
    """
    with path.open("w", encoding="utf-8", newline="") as text:
        for line in _calendar(school, monday_of(first_day), weeks):
            text.write(_fold(line))


def _calendar(school: School, monday: date, weeks: int) -> Iterator[str]:
    people = {person.id: person for person in school.staff}
    classes = {group.id: group.name for group in school.classes}
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Firstbell//World//NL", "CALSCALE:GREGORIAN")
    yield f"X-WR-CALNAME:{_text(school.name)}"
    yield from TIME_ZONE
    for lesson in weekly_lessons(school):
        teachers = [people[teacher_id] for teacher_id in lesson.course.teacher_ids]
        names = [classes[class_id] for class_id in lesson.course.class_ids]
        yield from _events(school, lesson, teachers, names, lesson_days(school, lesson, monday, weeks))
    yield "END:VCALENDAR"


def _events(
    school: School, lesson: Lesson, teachers: list[Person], classes: list[str], days: dict[date, bool]
) -> Iterator[str]:
    held = [day for day, takes_place in days.items() if takes_place]
    weekly = [day for day in held if day.weekday() == lesson.weekday]
    if not held:
        return
    start = weekly[0] if weekly else held[0]
    yield "BEGIN:VEVENT"
    yield from _common(school, lesson, teachers, classes, start)
    if weekly:
        yield f"RRULE:FREQ=WEEKLY;UNTIL={datetime.combine(weekly[-1], time.max, UTC):%Y%m%dT%H%M%SZ}"
        off = (day for day, takes_place in days.items() if not takes_place and start < day < weekly[-1])
        yield from (f"EXDATE;{_local(day, lesson.start)}" for day in off)
        yield from (f"RDATE;{_local(day, lesson.start)}" for day in held if day.weekday() != lesson.weekday)
    yield "END:VEVENT"
    for day in held:
        notes = lesson_notes(school, lesson, day)
        if any(notes):
            yield "BEGIN:VEVENT"
            yield from _common(school, lesson, teachers, classes, day)
            yield f"RECURRENCE-ID;{_local(day, lesson.start)}"
            yield from _notes(*notes)
            yield "END:VEVENT"


def _common(school: School, lesson: Lesson, teachers: list[Person], classes: list[str], day: date) -> Iterator[str]:
    yield f"UID:{lesson.id}@{school.slug}.example"
    yield f"DTSTAMP:{school.year.first_day:%Y%m%d}T000000Z"
    yield f"DTSTART;{_local(day, lesson.start)}"
    yield f"DTEND;{_local(day, lesson.end)}"
    yield f"SUMMARY:{_text(lesson.course.title)}"
    yield f"LOCATION:{_text(lesson.room)}"
    yield f"CATEGORIES:{','.join(map(_text, classes))}"
    yield f"ORGANIZER;{_address(school, teachers[0])}"
    yield from (f"ATTENDEE;ROLE=REQ-PARTICIPANT;{_address(school, teacher)}" for teacher in teachers)
    yield f"X-FIRSTBELL-COURSE:{lesson.course.id}"


def _notes(public: str, private: str) -> Iterator[str]:
    if public:
        yield f"DESCRIPTION:{_text(public)}"
    if private:
        yield f"X-FIRSTBELL-PRIVATE-NOTE:{_text(private)}"


def _local(day: date, at: time) -> str:
    return f"TZID=Europe/Brussels:{day:%Y%m%d}T{at:%H%M%S}"


def _address(school: School, person: Person) -> str:
    return f'CN="{person.name}":mailto:{school.email(person)}'


def _text(value: str) -> str:
    """Escape a value of type TEXT (RFC 5545, section 3.3.11)."""
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _fold(line: str) -> str:
    """Cut a long line between characters, so that no piece is over 75 bytes with its leading space."""
    pieces, size = [""], 0
    for character in line:
        width = len(character.encode())
        if size + width > LINE_BYTES_MAX:
            pieces.append("")
            size = 1
        pieces[-1] += character
        size += width
    return "\r\n ".join(pieces) + "\r\n"
