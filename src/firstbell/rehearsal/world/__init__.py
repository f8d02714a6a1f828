"""The demo world: schools, people, timetables and documents made of a seed.

It is pure: it knows no database and no domain, and hands over files as a real school would.

    world = generate_world(seed=1, pupils=600, today=date.today())
    school = world.school("sint-jozef")
    write_oneroster(school, Path("roster.zip"), version="1.1")
    write_role_mapping(school, Path("roles.json"))
    write_ics(school, Path("timetable.ics"), first_day=world.today, weeks=3)

The same seed, number of pupils and day give the same bytes. `world.cast` are the people whose sign-in
names never change. Lessons are worked out when they are first asked for (`weekly_lessons`). What lies in
the folders of courses comes from `world.documents` (`course_documents`, `lesson_material`), apart because
making PDF, images and films needs large libraries.
"""

from firstbell.rehearsal.world.ics import write_ics
from firstbell.rehearsal.world.model import (
    CastMember,
    Course,
    Family,
    Person,
    Role,
    School,
    SchoolClass,
    World,
)
from firstbell.rehearsal.world.notes import lesson_notes
from firstbell.rehearsal.world.oneroster import write_oneroster, write_role_mapping
from firstbell.rehearsal.world.schools import generate_world
from firstbell.rehearsal.world.schoolyear import SchoolYear, school_year
from firstbell.rehearsal.world.timetable import Lesson, lesson_days, weekly_lessons
from firstbell.rehearsal.world.timetable_csv import write_timetable_csv

__all__ = [
    "CastMember",
    "Course",
    "Family",
    "Lesson",
    "Person",
    "Role",
    "School",
    "SchoolClass",
    "SchoolYear",
    "World",
    "generate_world",
    "lesson_days",
    "lesson_notes",
    "school_year",
    "weekly_lessons",
    "write_ics",
    "write_oneroster",
    "write_role_mapping",
    "write_timetable_csv",
]
