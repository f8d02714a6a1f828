"""The today page, for each role. Persons with several roles see the parts of each."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from markupsafe import Markup

from firstbell.domains.courses import queries as courses
from firstbell.domains.courses.model import CourseEntry
from firstbell.domains.people import queries as people
from firstbell.domains.people.access import Schools, read_family
from firstbell.domains.people.model import SIGNED_IN, Child, Class, Role, Viewer, by_class_name
from firstbell.domains.timetable import queries as timetable
from firstbell.domains.timetable.access import Days, SharedCards
from firstbell.domains.timetable.model.days import CourseCards, Today, today_of
from firstbell.domains.timetable.model.lessons import Lesson, LessonCounts
from firstbell.domains.timetable.pages.drawing import draw_day, draw_rows
from firstbell.domains.views.access import SharedNews
from firstbell.domains.views.model import CourseNews, NewDocument, greeting_at, newest
from firstbell.kernel.db import PartFailedError
from firstbell.kernel.extras import Extra
from firstbell.kernel.html import macro, page
from firstbell.kernel.i18n import mark
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import Visit, visit_of
from firstbell.settings import Settings

RUNS_SCHOOL = frozenset({Role.HEAD, Role.SECRETARIAT, Role.ICT})
RUNS_INSTALLATION = frozenset({Role.ICT, Role.OPERATOR})
DRAWN_MAX = 1_000
"""Drawn days kept in a worker, about 10 kB each: the sets of courses of 20,000 pupils, for a minute."""

NEWS = Extra(1, mark("what is new"))
FIGURES = Extra(1, mark("how many people there are"))
SESSIONS = Extra(1, mark("how many browsers are signed in"))
TAUGHT_COURSES = Extra(2, mark("your courses"))
TAUGHT_NOW = Extra(2, mark("which lessons are on"))
LESSON_COUNTS = Extra(3, mark("how many lessons there are"))


class Part(msgspec.Struct, frozen=True):
    """Somebody's lessons. `drawn` are the lines of the day that matters now: today, or after its last bell the next;
    `following` has the next day in short."""

    days: Today
    drawn: Markup
    following: Markup
    has_material: bool
    now: datetime
    child: Child | None = None


class PupilDay(NamedTuple):
    """What a class sees in one minute: its days, and its news unless left out; None when they cannot be had."""

    cards: tuple[CourseCards, ...]
    has_material: bool
    news: tuple[CourseNews, ...] | None
    shows_news: bool
    minute: datetime


class Installation(msgspec.Struct, frozen=True):
    """How a school stands in its installation; `schools` are all of them, for its operator."""

    sessions: int | None
    schools: list[str]


class SchoolNow(msgspec.Struct, frozen=True):
    """What a school is doing at this moment; None is left out."""

    lessons: LessonCounts | None
    taught: list[Lesson] | None
    people: dict[Role, int] | None
    classes: list[Class]


@get("/", opt=route(SIGNED_IN, Priority.P1))
async def show_today(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Today, for whoever asks.

    Nothing is injected: Litestar starts a task for each of several dependencies, a tenth of the time of this page,
    which everybody opens at once.
    """
    visit = visit_of(request.scope)
    viewer: Viewer = visit.viewer
    gathering = Gathering(visit, request.app.state)
    roles = viewer.roles
    return page(
        request,
        "views/today.html",
        local_now=gathering.now,
        greeting=greeting_at(gathering.now),
        own=await gathering.pupil() if Role.PUPIL in roles else None,
        taught=await gathering.teacher() if Role.TEACHER in roles else None,
        taught_courses=await gathering.courses() if Role.TEACHER in roles else None,
        children=await gathering.children() if Role.PARENT in roles else None,
        school_now=await gathering.school() if viewer.is_any(RUNS_SCHOOL) else None,
        installation=await gathering.installation() if viewer.is_any(RUNS_INSTALLATION) else None,
    )


class Gathering:
    """Gathers the parts of one visit's today page."""

    def __init__(self, visit: Visit, state: State) -> None:
        self._visit = visit
        self._tx = visit.transaction
        self._viewer: Viewer = visit.viewer
        self._cards: SharedCards = state.cards
        self._news: SharedNews = state.news
        self._schools: Schools = state.schools
        self._settings: Settings = state.settings
        self.now = visit.started_at.astimezone(visit.school.zone)

    async def pupil(self) -> Markup:
        """Their lessons, and what is new in their courses unless that is left out."""
        viewer, today = self._viewer, self.now.date()
        followed = await courses.list_followed(self._tx, [(viewer.school_id, viewer.person_id)])
        keys = [(viewer.school_id, course_id) for course_id in followed.get(viewer.person_id, ())]
        days = await self._cards.of_courses(self._tx, keys, today)
        shows_news = not self._visit.leaves_out(NEWS)
        news: Sequence[CourseNews] | None = ()
        try:
            if shows_news:
                news = await self._news.of(self._tx, keys, today, self._visit.school.zone)
        except PartFailedError:
            news = None
        minute = self.now.replace(second=0, microsecond=0)
        shared_news = None if news is None else tuple(news)
        day = PupilDay(tuple(days.cards), days.has_material, shared_news, shows_news, minute)
        return _draw_pupil(day, self._visit.locale, self._settings.new_documents_max)

    async def teacher(self) -> Part:
        """The lessons that they teach."""
        viewer = self._viewer
        days = await self._cards.of_teacher(self._tx, viewer.school_id, viewer.person_id, self.now.date())
        return _part(days, self.now, self._visit.locale, for_teacher=True)

    async def courses(self) -> list[CourseEntry] | None:
        """The courses that they teach."""
        if self._visit.leaves_out(TAUGHT_COURSES):
            return None
        return await courses.list_own_courses(self._tx, self._viewer.school_id, self._viewer.person_id)

    async def children(self) -> list[Part]:
        """The lessons of each child, in whichever school: as many statements for five children as for one."""
        await read_family(self._visit)
        children = await people.list_children(self._tx, self._viewer)
        followed = await courses.list_followed(self._tx, [(child.school_id, child.person_id) for child in children])
        today = self.now.date()
        keys = [(child.school_id, course_id) for child in children for course_id in followed.get(child.person_id, ())]
        days = await self._cards.of_courses(self._tx, keys, today)
        cards = dict(zip(keys, days.cards, strict=True))
        parts = []
        for child in children:
            own = [cards[child.school_id, course_id] for course_id in followed.get(child.person_id, ())]
            now = self.now.astimezone(self._schools.of(child.school_id).zone)
            parts.append(_part(Days(own, has_material=days.has_material), now, self._visit.locale, child=child))
        return parts

    async def school(self) -> SchoolNow:
        """What the school is doing."""
        tx, school_id, leaves_out = self._tx, self._viewer.school_id, self._visit.leaves_out
        lessons = taught = persons = None
        if not leaves_out(FIGURES):
            persons = await people.count_roles(tx, school_id)
        if not leaves_out(TAUGHT_NOW):
            taught = await timetable.list_lessons_at(tx, school_id, self.now, most=self._settings.lessons_now_max)
        if not leaves_out(LESSON_COUNTS):
            lessons = await timetable.count_lessons(tx, school_id, self.now)
        classes = sorted(await people.list_classes(tx, school_id), key=lambda one: by_class_name(one.name))
        return SchoolNow(lessons, taught, persons, classes)

    async def installation(self) -> Installation:
        """How the school stands in this installation."""
        school_id = self._viewer.school_id
        schools = [school.name for school, _ in self._schools.all] if Role.OPERATOR in self._viewer.roles else []
        sessions = None
        if not self._visit.leaves_out(SESSIONS):
            sessions = await people.count_sessions(self._tx, school_id, now=self._visit.started_at)
        return Installation(sessions, schools)


@lru_cache(maxsize=DRAWN_MAX)
def _draw_pupil(day: PupilDay, locale: str, news_max: int) -> Markup:
    """Drawn for the first pupil of a class who asks, and handed to the others."""
    part = _part(Days(list(day.cards), has_material=day.has_material), day.minute, locale)
    rows = None if day.news is None else _draw_news(newest(day.news, news_max), locale)
    return macro(locale, "views/parts.html", "pupil")(part, rows, day.shows_news)


def _part(days: Days, now: datetime, locale: str, *, child: Child | None = None, for_teacher: bool = False) -> Part:
    today = today_of(days.cards, now.date(), now)
    shown = today.next if today.next and today.is_over else today.today
    drawn = draw_day(shown, locale, for_teacher=for_teacher)
    following = Markup("") if today.next is None or child else draw_rows(today.next, locale, for_teacher=for_teacher)
    return Part(today, drawn, following, days.has_material, now, child)


def _draw_news(documents: list[NewDocument], locale: str) -> Markup:
    draw = macro(locale, "views/parts.html", "document")
    for document in documents:
        if locale not in document.drawn:
            document.drawn[locale] = draw(document)
    return Markup("").join([document.drawn[locale] for document in documents])
