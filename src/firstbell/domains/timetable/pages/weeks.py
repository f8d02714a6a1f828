"""The timetable of a pupil, a teacher, a child or a class: by week and by day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, get

from firstbell.domains.courses import queries as courses
from firstbell.domains.courses.model import hue_of
from firstbell.domains.people.access import Schools, access_class, read_family
from firstbell.domains.people.model import SIGNED_IN, Child, Class, Role, School, Viewer, by_class_name, only
from firstbell.domains.people.queries import list_children, list_classes
from firstbell.domains.timetable import queries
from firstbell.domains.timetable.access import Days, SharedCards
from firstbell.domains.timetable.model.days import today_of
from firstbell.domains.timetable.model.lessons import Lesson, State
from firstbell.domains.timetable.model.weeks import SCHOOL_DAYS, Entry, Week, days_in, hours_of
from firstbell.domains.timetable.pages.drawing import draw_day, where
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import NotFoundError
from firstbell.kernel.html import page
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import Visit, visit_of

Asked = Request[Any, Any, Any]
CLASS_READERS = only(Role.PUPIL, Role.TEACHER, Role.HEAD, Role.SECRETARIAT, Role.ICT)
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(9999, 12, 1)
_NO_LESSONS_OF_THEIR_OWN = frozenset({Role.HEAD, Role.SECRETARIAT, Role.ICT})


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose timetable is shown: somebody's own, or that of one of the viewer's children."""

    school: School
    person_id: UUID
    is_teacher: bool
    child: Child | None
    children: list[Child]

    @property
    def suffix(self) -> str:
        """What keeps the same child in another address, after its `?` or its first parameter."""
        return f"&child={self.child.person_id}" if self.child else ""


@get("/timetable", opt=route(SIGNED_IN, Priority.P1))
async def show_week(request: Asked, tx: Transaction, viewer: Viewer, schools: Schools) -> Response[bytes]:
    """The week of the viewer or a child; who runs the school chooses a class first."""
    visit = visit_of(request.scope)
    subject = await _subject(visit, schools, request.query_params.get("child"))
    if subject is None:
        classes = sorted(await list_classes(tx, viewer.school_id), key=lambda one: by_class_name(one.name))
        return page(request, "timetable/classes.html", classes=classes)
    now = visit.started_at.astimezone(subject.school.zone)
    chosen = _week(request, now)
    ask = queries.list_teacher_lessons if subject.is_teacher else queries.list_pupil_lessons
    lessons = await ask(tx, subject.school.id, subject.person_id, chosen[0].monday, chosen[0].sunday)
    return _week_page(request, chosen, lessons, now, subject=subject)


@get("/timetable/{day:date}", opt=route(SIGNED_IN, Priority.P1))
async def show_day(request: Asked, tx: Transaction, schools: Schools, cards: SharedCards, day: date) -> Response[bytes]:
    """One day with notes and material, and where the next lessons are when it has none."""
    visit = visit_of(request.scope)
    subject = await _subject(visit, schools, request.query_params.get("child"))
    if subject is None:
        raise NotFoundError
    now = visit.started_at.astimezone(subject.school.zone)
    days = await _days(tx, cards, subject, _within_calendar(day))
    shown = today_of(days.cards, day, now)
    return page(
        request,
        "timetable/day.html",
        subject=subject,
        day=shown,
        lines=draw_day(shown.today, visit.locale, for_teacher=subject.is_teacher),
        has_material=days.has_material,
        local_now=now,
        week=Week.of(day),
        days=[
            {"date": one, "href": f"/timetable/{one}?{subject.suffix}", "today": one == now.date()}
            for one in days_in(Week.of(day), [])
        ],
        previous=f"/timetable/{_school_day(day, -1)}?{subject.suffix}",
        present=f"/timetable/{now.date()}?{subject.suffix}",
        following=f"/timetable/{_school_day(day, 1)}?{subject.suffix}",
    )


@get("/classes/{class_id:uuid}/timetable", opt=route(CLASS_READERS, Priority.P1))
async def show_class_week(request: Asked, tx: Transaction, viewer: Viewer, class_id: UUID) -> Response[bytes]:
    """The week of a class, for who works at the school and for its own pupils."""
    visit = visit_of(request.scope)
    shown = await access_class(tx, viewer, class_id)
    now = visit.started_at.astimezone(visit.school.zone)
    chosen = _week(request, now)
    lessons = await queries.list_class_lessons(tx, viewer.school_id, class_id, chosen[0].monday, chosen[0].sunday)
    return _week_page(request, chosen, lessons, now, school_class=shown)


async def _subject(visit: Visit, schools: Schools, child_id: str | None) -> Subject | None:
    """Whose timetable the viewer asks for; None for who has none and no children.

    Raises:
        NotFoundError: the child is none of theirs.
    """
    viewer: Viewer = visit.viewer
    children: list[Child] = []
    if Role.PARENT in viewer.roles:
        await read_family(visit)
        children = await list_children(visit.transaction, viewer)
    is_teacher = Role.TEACHER in viewer.roles
    has_own = is_teacher or Role.PUPIL in viewer.roles
    if child_id is not None:
        child = next((one for one in children if str(one.person_id) == child_id), None)
        if child is None:
            raise NotFoundError
    elif has_own or not children:
        if viewer.is_any(_NO_LESSONS_OF_THEIR_OWN) and not has_own:
            return None
        return Subject(visit.school, viewer.person_id, is_teacher, None, children)
    else:
        child = children[0]
    return Subject(schools.of(child.school_id), child.person_id, False, child, children)


async def _days(tx: Transaction, cards: SharedCards, subject: Subject, day: date) -> Days:
    school_id = subject.school.id
    if subject.is_teacher:
        return await cards.of_teacher(tx, school_id, subject.person_id, day)
    followed = await courses.list_followed(tx, [(school_id, subject.person_id)])
    keys = [(school_id, course_id) for course_id in followed.get(subject.person_id, ())]
    return await cards.of_courses(tx, keys, day)


def _week(request: Asked, now: datetime) -> tuple[Week, date]:
    """The week, and the day of it that a phone shows: as the address names them, else today's, at the weekend Monday's.

    Raises:
        NotFoundError: there is no such week or day.
    """
    day, named = request.query_params.get("day"), request.query_params.get("week")
    if day:
        chosen = _date(day)
        return Week.of(chosen), chosen
    today = now.date()
    soon = today if today.weekday() < SCHOOL_DAYS else _school_day(today, 1)
    week = Week.parse(named) if named else Week.of(soon)
    if week is None:
        raise NotFoundError
    return week, soon if Week.of(soon) == week else week.monday


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotFoundError from None
    return _within_calendar(day)


def _within_calendar(day: date) -> date:
    """The day, unless the days around it are beyond the calendar."""
    if not _FIRST_DAY < day < _LAST_DAY:
        raise NotFoundError
    return day


def _school_day(day: date, step: int) -> date:
    """The next day of the week, or the one before, that is not in the weekend."""
    day += timedelta(days=step)
    while day.weekday() >= SCHOOL_DAYS:
        day += timedelta(days=step)
    return day


def _week_page(
    request: Asked,
    chosen: tuple[Week, date],
    lessons: list[Lesson],
    now: datetime,
    *,
    subject: Subject | None = None,
    school_class: Class | None = None,
) -> Response[bytes]:
    week, day = chosen
    for_teacher = subject is not None and subject.is_teacher
    base = f"/classes/{school_class.id}/timetable" if school_class else "/timetable"
    suffix = subject.suffix if subject else ""

    def entry(lesson: Lesson) -> Entry:
        return Entry(
            lesson.title,
            where(lesson, for_teacher=for_teacher),
            f"/lessons/{lesson.id}",
            hue_of(lesson.title),
            now=lesson.state(now) is State.NOW and not lesson.is_cancelled,
            is_cancelled=lesson.is_cancelled,
        )

    dates = days_in(week, lessons)
    return page(
        request,
        "timetable/week.html",
        week=week,
        days=[
            {
                "date": one,
                "href": f"{base}?day={one}" if school_class else f"{base}/{one}?{suffix}",
                "today": one == now.date(),
            }
            for one in dates
        ],
        hours=hours_of(dates, lessons, entry),
        shown=dates.index(day) if day in dates else 0,
        day=day,
        previous=f"{base}?week={week.moved(-1)}{suffix}",
        present=f"{base}?{suffix}",
        following=f"{base}?week={week.moved(1)}{suffix}",
        subject=subject,
        school_class=school_class,
    )


HANDLERS = [show_week, show_day, show_class_week]
