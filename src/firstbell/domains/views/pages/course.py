"""The page of a course."""

from typing import Any

from litestar import Request, Response, get

from firstbell.domains.courses import queries as courses
from firstbell.domains.courses.model import Course
from firstbell.domains.courses.pages import COURSE_DEPENDENCIES
from firstbell.domains.documents.model import Place
from firstbell.domains.documents.pages import list_folder
from firstbell.domains.people.model import SIGNED_IN
from firstbell.domains.timetable import queries as timetable
from firstbell.domains.timetable.model.lessons import State
from firstbell.kernel.clock import Ids
from firstbell.kernel.db import Transaction
from firstbell.kernel.extras import Extra
from firstbell.kernel.html import page
from firstbell.kernel.i18n import mark
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of
from firstbell.settings import Settings

PEOPLE = Extra(2, mark("the people of the course"))
AHEAD = Extra(3, mark("what comes next"))


@get("/courses/{course_id:uuid}", opt=route(SIGNED_IN, Priority.P1), dependencies=COURSE_DEPENDENCIES)
async def show_course(
    request: Request[Any, Any, Any], *, tx: Transaction, course: Course, place: Place, settings: Settings, ids: Ids
) -> Response[bytes]:
    """A course: its documents, what comes next in it, its people."""
    visit = visit_of(request.scope)
    now = visit.started_at.astimezone(visit.school.zone)
    folder_id = place.tree.root_id
    listing = await list_folder(request, tx, place, folder_id, settings=settings, new_id=ids.new())
    participants = lessons = None
    if not visit.leaves_out(PEOPLE):
        participants = await courses.list_participants(tx, course.school_id, course.id)
    if not visit.leaves_out(AHEAD):
        # One more than is shown: the first may have ended this morning.
        ahead = await timetable.list_next_lessons(
            tx, course.school_id, course.id, now.date(), most=settings.course_lessons_max + 1
        )
        lessons = [lesson for lesson in ahead if lesson.state(now) is not State.PAST][: settings.course_lessons_max]
    return page(
        request,
        "views/course.html",
        course=course,
        listing=listing,
        participants=participants,
        lessons=lessons,
        clock=now,
    )
