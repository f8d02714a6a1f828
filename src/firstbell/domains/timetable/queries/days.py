"""Statements on the lessons of a day or a week, for those whose lessons they are."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from firstbell.domains.timetable.model.lessons import CourseKey, Lesson, LessonCounts
from firstbell.kernel.db import Transaction

CourseDays = tuple[list[Lesson], list[Lesson]]
"""Lessons of today, and of the next day."""


def lesson_in(row: Iterable[Any]) -> Lesson:
    """A row of the view `lesson_card`."""
    facts = list(row)
    facts[-1] = tuple(facts[-1])
    return Lesson(*facts)


async def list_course_days(tx: Transaction, courses: Sequence[CourseKey], today: date) -> dict[CourseKey, CourseDays]:
    """For each course its lessons of today and those of the next day on which it has any."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM unnest($1::uuid[], $2::uuid[]) AS wanted (school_id, course_id)
        CROSS JOIN LATERAL (
            SELECT min(coming.date) AS date FROM (
                SELECT later.date FROM lesson AS later
                WHERE later.school_id = wanted.school_id AND later.course_id = wanted.course_id AND later.date > $3
                ORDER BY later.date LIMIT 1
            ) AS coming
        ) AS next
        CROSS JOIN LATERAL (
            SELECT * FROM lesson_card AS card
            WHERE card.school_id = wanted.school_id AND card.course_id = wanted.course_id
                AND card.date = ANY (ARRAY[$3, next.date])
        ) AS lesson
        """,
        [school_id for school_id, _ in courses],
        [course_id for _, course_id in courses],
        today,
    )
    days: dict[CourseKey, CourseDays] = {course: ([], []) for course in courses}
    for row in rows:
        lesson = lesson_in(row)
        days[lesson.school_id, lesson.course_id][lesson.date > today].append(lesson)
    return days


async def list_teacher_days(tx: Transaction, school_id: UUID, person_id: UUID, today: date) -> list[Lesson]:
    """The lessons that somebody teaches today and on the next day on which they teach."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM lesson_teacher AS own
        JOIN lesson_card AS lesson ON lesson.school_id = own.school_id AND lesson.id = own.lesson_id
        WHERE own.school_id = $1 AND own.person_id = $2 AND own.date = ANY (ARRAY[$3, (
            SELECT later.date FROM lesson_teacher AS later
            WHERE later.school_id = $1 AND later.person_id = $2 AND later.date > $3
            ORDER BY later.date LIMIT 1
        )])
        """,
        school_id,
        person_id,
        today,
    )
    return [lesson_in(row) for row in rows]


async def list_pupil_lessons(
    tx: Transaction, school_id: UUID, person_id: UUID, first: date, last: date
) -> list[Lesson]:
    """The lessons of the courses that a pupil follows, from `first` to `last`."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM enrolment
        JOIN lesson_card AS lesson ON lesson.school_id = enrolment.school_id AND lesson.course_id = enrolment.course_id
        WHERE enrolment.school_id = $1 AND enrolment.person_id = $2 AND enrolment.role = 'pupil'
            AND lesson.date BETWEEN $3 AND $4
        """,
        school_id,
        person_id,
        first,
        last,
    )
    return [lesson_in(row) for row in rows]


async def list_teacher_lessons(
    tx: Transaction, school_id: UUID, person_id: UUID, first: date, last: date
) -> list[Lesson]:
    """The lessons that somebody teaches, from `first` to `last`."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM lesson_teacher AS own
        JOIN lesson_card AS lesson ON lesson.school_id = own.school_id AND lesson.id = own.lesson_id
        WHERE own.school_id = $1 AND own.person_id = $2 AND own.date BETWEEN $3 AND $4
        """,
        school_id,
        person_id,
        first,
        last,
    )
    return [lesson_in(row) for row in rows]


async def list_class_lessons(tx: Transaction, school_id: UUID, class_id: UUID, first: date, last: date) -> list[Lesson]:
    """The lessons of the courses that pupils of a class follow, from `first` to `last`."""
    rows = await tx.fetch(
        """
        WITH followed AS MATERIALIZED (
            SELECT DISTINCT enrolment.course_id
            FROM class_member AS member
            JOIN enrolment ON enrolment.school_id = member.school_id AND enrolment.person_id = member.person_id
            WHERE member.school_id = $1 AND member.class_id = $2 AND member.role = 'pupil' AND enrolment.role = 'pupil'
        )
        SELECT lesson.*
        FROM followed
        JOIN lesson_card AS lesson ON lesson.school_id = $1 AND lesson.course_id = followed.course_id
        WHERE lesson.date BETWEEN $3 AND $4
        """,
        school_id,
        class_id,
        first,
        last,
    )
    return [lesson_in(row) for row in rows]


async def list_next_lessons(
    tx: Transaction, school_id: UUID, course_id: UUID, today: date, *, most: int = 5
) -> list[Lesson]:
    """The lessons of a course from `today` on, at most so many."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM lesson_card AS lesson
        WHERE lesson.school_id = $1 AND lesson.course_id = $2 AND lesson.date >= $3
        ORDER BY lesson.date, lesson.starts_at
        LIMIT $4
        """,
        school_id,
        course_id,
        today,
        most,
    )
    return [lesson_in(row) for row in rows]


async def list_lessons_at(tx: Transaction, school_id: UUID, now: datetime, *, most: int) -> list[Lesson]:
    """What is being taught at a local moment, at most so many lessons, by class."""
    rows = await tx.fetch(
        """
        SELECT lesson.*
        FROM lesson_card AS lesson
        WHERE lesson.school_id = $1 AND lesson.date = $2 AND lesson.starts_at <= $3 AND lesson.ends_at > $3
            AND NOT lesson.is_cancelled
        ORDER BY lesson.audience, lesson.title
        LIMIT $4
        """,
        school_id,
        now.date(),
        now.time(),
        most,
    )
    return [lesson_in(row) for row in rows]


async def count_lessons(tx: Transaction, school_id: UUID, now: datetime) -> LessonCounts:
    """The lessons of the local day of `now`."""
    row = await tx.fetchrow(
        """
        SELECT count(*) FILTER (WHERE cancelled_at IS NULL),
               count(*) FILTER (WHERE cancelled_at IS NULL AND starts_at <= $3 AND ends_at > $3),
               count(*) FILTER (WHERE cancelled_at IS NOT NULL),
               (SELECT max(date) FROM lesson WHERE school_id = $1)
        FROM lesson WHERE school_id = $1 AND date = $2
        """,
        school_id,
        now.date(),
        now.time(),
    )
    return LessonCounts(0, 0, 0, None) if row is None else LessonCounts(*row)
