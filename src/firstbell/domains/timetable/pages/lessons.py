"""The page of a lesson, and what its teachers write and choose there."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from firstbell.domains.courses.model import hue_of
from firstbell.domains.documents.model import kind_of
from firstbell.domains.people.access import Schools, read_family
from firstbell.domains.people.model import SIGNED_IN, Role, Viewer, only
from firstbell.domains.timetable import queries
from firstbell.domains.timetable.access import access_lesson, access_taught_lesson
from firstbell.domains.timetable.actions import LessonBook, Notes
from firstbell.domains.timetable.model.lessons import Lesson, Material, OpenLesson, State
from firstbell.kernel.db import Transaction
from firstbell.kernel.html import page
from firstbell.kernel.http import see_other
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of
from firstbell.settings import Settings

Asked = Request[Any, Any, Any]
TEACHERS = only(Role.TEACHER)
_FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
_CHOICES_MAX = 100


class NotesForm(msgspec.Struct, frozen=True):
    """What the form of a lesson sends; its lengths are judged where they are kept."""

    room: str = ""
    public_note: str = ""
    private_note: str = ""


class MaterialForm(msgspec.Struct, frozen=True):
    """The documents that were ticked; a form with one tick sends no list."""

    document: list[UUID] | UUID = []

    @property
    def document_ids(self) -> list[UUID]:
        """All of them."""
        return self.document if isinstance(self.document, list) else [self.document]


async def lesson_taught_by_viewer(tx: Transaction, viewer: Viewer, lesson_id: UUID) -> OpenLesson:
    """The lesson in the address, for routes that change it."""
    return await access_taught_lesson(tx, viewer, lesson_id)


@get("/lessons/{lesson_id:uuid}", opt=route(SIGNED_IN, Priority.P1))
async def show_lesson(
    request: Asked, tx: Transaction, viewer: Viewer, schools: Schools, lesson_id: UUID
) -> Response[bytes]:
    """A lesson: when, where, what will be done, and with which documents."""
    visit = visit_of(request.scope)
    if Role.PARENT in viewer.roles:
        await read_family(visit)
    opened = await access_lesson(tx, viewer, lesson_id)
    lesson = opened.lesson
    material = await _material_of(tx, lesson)
    school = schools.of(lesson.school_id)
    now = visit.started_at.astimezone(school.zone)
    removed = await _just_removed(request, tx, opened)
    return page(
        request,
        "timetable/lesson.html",
        opened=opened,
        lesson=lesson,
        is_now=lesson.state(now) is State.NOW and not lesson.is_cancelled,
        material=[(_document_href(lesson, one.id), one, kind_of(one.media_type)) for one in material],
        hue=hue_of(lesson.title),
        removed=removed,
    )


@get("/lessons/{lesson_id:uuid}/notes", opt=route(TEACHERS, Priority.P2))
async def show_notes(
    request: Asked, tx: Transaction, viewer: Viewer, lesson_id: UUID, settings: Settings
) -> Response[bytes]:
    """The form for the room and the notes."""
    opened = await access_taught_lesson(tx, viewer, lesson_id)
    notes = Notes(opened.lesson.room, opened.lesson.public_note, opened.private_note)
    return page(
        request,
        "timetable/notes.html",
        lesson=opened.lesson,
        notes=notes,
        note_max=settings.lesson_note_chars_max,
        room_max=settings.lesson_room_chars_max,
    )


@post("/lessons/{lesson_id:uuid}/notes", opt=route(TEACHERS, Priority.P2))
async def write_notes(
    data: Annotated[NotesForm, _FORM], tx: Transaction, viewer: Viewer, lesson_id: UUID, lesson_book: LessonBook
) -> Response[bytes]:
    """Keep the room and the notes."""
    opened = await access_taught_lesson(tx, viewer, lesson_id)
    notes = Notes(_plain(data.room), _plain(data.public_note), _plain(data.private_note))
    await lesson_book.write(tx, opened.lesson, notes, viewer.person_id)
    return see_other(f"/lessons/{lesson_id}")


@post("/lessons/{lesson_id:uuid}/cancellation", opt=route(TEACHERS, Priority.P2))
async def cancel_lesson(tx: Transaction, viewer: Viewer, lesson_id: UUID, lesson_book: LessonBook) -> Response[bytes]:
    """Say that the lesson does not take place; its page offers to undo that."""
    opened = await access_taught_lesson(tx, viewer, lesson_id)
    await lesson_book.cancel(tx, opened.lesson, viewer.person_id)
    return see_other(f"/lessons/{lesson_id}")


@post("/lessons/{lesson_id:uuid}/restoration", opt=route(TEACHERS, Priority.P2))
async def restore_lesson(tx: Transaction, viewer: Viewer, lesson_id: UUID, lesson_book: LessonBook) -> Response[bytes]:
    """Say that the lesson takes place after all."""
    opened = await access_taught_lesson(tx, viewer, lesson_id)
    await lesson_book.restore(tx, opened.lesson)
    return see_other(f"/lessons/{lesson_id}")


@get("/lessons/{lesson_id:uuid}/material", opt=route(TEACHERS, Priority.P2))
async def show_choices(request: Asked, tx: Transaction, viewer: Viewer, lesson_id: UUID) -> Response[bytes]:
    """The documents of the course, to choose from."""
    opened = await access_taught_lesson(tx, viewer, lesson_id)
    choices = await queries.list_choices(tx, opened.lesson, most=_CHOICES_MAX)
    return page(request, "timetable/material.html", lesson=opened.lesson, choices=choices)


@post("/lessons/{lesson_id:uuid}/material", opt=route(TEACHERS, Priority.P2))
async def attach_documents(
    data: Annotated[MaterialForm, _FORM], tx: Transaction, viewer: Viewer, lesson_id: UUID, lesson_book: LessonBook
) -> Response[bytes]:
    """Make the chosen documents material of the lesson."""
    opened = await access_taught_lesson(tx, viewer, lesson_id)
    await lesson_book.attach(tx, opened.lesson, data.document_ids)
    return see_other(f"/lessons/{lesson_id}")


@post("/lessons/{lesson_id:uuid}/material/{document_id:uuid}/removal", opt=route(TEACHERS, Priority.P2))
async def detach_document(
    tx: Transaction, viewer: Viewer, lesson_id: UUID, document_id: UUID, lesson_book: LessonBook
) -> Response[bytes]:
    """Take a document from the material; the lesson's page offers to put it back."""
    opened = await access_taught_lesson(tx, viewer, lesson_id)
    await lesson_book.detach(tx, opened.lesson, document_id)
    return see_other(f"/lessons/{lesson_id}?removed={document_id}")


async def _material_of(tx: Transaction, lesson: Lesson) -> tuple[Material, ...]:
    return (await queries.list_material(tx, [(lesson.school_id, lesson.id)])).get(lesson.id, ())


async def _just_removed(request: Asked, tx: Transaction, opened: OpenLesson) -> Material | None:
    """The document that the address says was taken away a moment ago."""
    named = request.query_params.get("removed")
    if not named or not opened.is_taught:
        return None
    choices = await queries.list_choices(tx, opened.lesson, most=_CHOICES_MAX)
    return next((one for one in choices if str(one.id) == named), None)


def _document_href(lesson: Lesson, document_id: UUID) -> str:
    return f"/courses/{lesson.course_id}/documents/{document_id}"


def _plain(text: str) -> str:
    """As it is kept: lines end as ours do, and no null character, which PostgreSQL refuses."""
    return text.replace("\r\n", "\n").replace("\0", "").strip()


HANDLERS = [
    show_lesson,
    show_notes,
    write_notes,
    cancel_lesson,
    restore_lesson,
    show_choices,
    attach_documents,
    detach_document,
]
