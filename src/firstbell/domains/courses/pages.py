"""The courses of a viewer, and the documents of each. The page of one course gathers more, and is in views."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.di import Provide

from firstbell.domains.courses import queries
from firstbell.domains.courses.access import (
    EVERY_COURSE,
    access_course,
    access_course_document,
    readable_persons,
)
from firstbell.domains.courses.model import Course, CourseEntry
from firstbell.domains.documents import pages as documents
from firstbell.domains.documents.access import Addresses
from firstbell.domains.documents.api import serve
from firstbell.domains.documents.model import Place, Tree
from firstbell.domains.people.model import SIGNED_IN, Role, Viewer
from firstbell.kernel.blobs import Blobs
from firstbell.kernel.db import Transaction
from firstbell.kernel.extras import Extra
from firstbell.kernel.html import page
from firstbell.kernel.i18n import mark
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of

EVERY = Extra(2, mark("the list of all courses"))
_COURSES_MAX = 300
_SEARCH_LENGTH_MAX = 100


async def course_of_viewer(tx: Transaction, viewer: Viewer, course_id: UUID) -> Course:
    """The course in the address, for routes below it."""
    return await access_course(tx, viewer, course_id)


def place_of_course(course: Course, viewer: Viewer) -> Place:
    """The folders of the course, as documents show them."""
    return Place(
        tree=Tree(course.school_id, course.folder_id),
        href=f"/courses/{course.id}",
        title=course.title,
        links=(("/courses", mark("Courses")),),
        may_write=course.may_write and course.school_id == viewer.school_id,
    )


COURSE_DEPENDENCIES = {
    "course": Provide(course_of_viewer),
    "place": Provide(place_of_course, sync_to_thread=False),
}
"""For every route below `/courses/{course_id}`: access is judged before anything else happens."""


@get("/courses", opt=route(SIGNED_IN, Priority.P1))
async def show_courses(request: Request[Any, Any, Any], tx: Transaction, viewer: Viewer) -> Response[bytes]:
    """My courses; a parent's are those of the children, and who runs the school looks through all of them."""
    search = request.query_params.get("search", "").strip()[:_SEARCH_LENGTH_MAX]
    every = None
    if viewer.is_any(EVERY_COURSE) and (search or not visit_of(request.scope).leaves_out(EVERY)):
        every = await queries.list_school_courses(tx, viewer.school_id, search, _COURSES_MAX)
    own = await queries.list_own_courses(tx, viewer.school_id, viewer.person_id)
    children: list[CourseEntry] = []
    if Role.PARENT in viewer.roles:
        children = await queries.list_children_courses(tx, await readable_persons(tx, viewer))
    return page(
        request,
        "courses/courses.html",
        own=own,
        children=_by_child(children),
        may_search=viewer.is_any(EVERY_COURSE),
        every=every,
        is_cut=every is not None and len(every) == _COURSES_MAX,
        search=search,
    )


@get("/documents/{document_id:uuid}/content", opt=route(SIGNED_IN, Priority.P2))
async def open_document(
    request: Request[Any, Any, Any],
    *,
    tx: Transaction,
    viewer: Viewer,
    course_id: UUID,
    document_id: UUID,
    addresses: Addresses,
    blobs: Blobs,
) -> Response[bytes]:
    """The bytes of a document, at once or by way of their signed address."""
    school_id, document = await access_course_document(tx, viewer, course_id, document_id)
    return await serve(request, school_id, document, addresses, blobs)


def _by_child(courses: list[CourseEntry]) -> dict[str, list[CourseEntry]]:
    found: dict[str, list[CourseEntry]] = {}
    for course in courses:
        found.setdefault(course.child, []).append(course)
    return found


HANDLERS: list[Any] = [
    show_courses,
    Router(
        "/courses/{course_id:uuid}",
        route_handlers=[open_document, *documents.HANDLERS],
        dependencies=COURSE_DEPENDENCIES,
    ),
]
