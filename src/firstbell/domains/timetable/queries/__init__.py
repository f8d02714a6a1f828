"""Statements on lessons, one typed function each; those of an import are in `importing`."""

from firstbell.domains.timetable.queries.days import (
    CourseDays,
    count_lessons,
    list_class_lessons,
    list_course_days,
    list_lessons_at,
    list_next_lessons,
    list_pupil_lessons,
    list_teacher_days,
    list_teacher_lessons,
)
from firstbell.domains.timetable.queries.lessons import (
    add_material,
    cancel_lessons_of,
    find_lesson,
    list_choices,
    list_material,
    remove_material,
    set_cancelled,
    write_notes,
)

__all__ = [
    "CourseDays",
    "add_material",
    "cancel_lessons_of",
    "count_lessons",
    "find_lesson",
    "list_choices",
    "list_class_lessons",
    "list_course_days",
    "list_lessons_at",
    "list_material",
    "list_next_lessons",
    "list_pupil_lessons",
    "list_teacher_days",
    "list_teacher_lessons",
    "remove_material",
    "set_cancelled",
    "write_notes",
]
