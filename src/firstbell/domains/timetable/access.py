"""Who may see a lesson, and who may write in it."""

from uuid import UUID

from firstbell.domains.people.model import STAFF, Viewer
from firstbell.domains.timetable import queries
from firstbell.domains.timetable.model.lessons import OpenLesson
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import NotAllowedError, NotFoundError


async def access_lesson(tx: Transaction, viewer: Viewer, lesson_id: UUID) -> OpenLesson:
    """The lesson, for whoever teaches or follows it, for their parents, and for the staff of its school.

    Raises:
        NotFoundError: there is no such lesson for this viewer.
    """
    opened = await queries.find_lesson(
        tx,
        lesson_id,
        school_id=viewer.school_id,
        person_id=viewer.person_id,
        is_staff=viewer.is_any(STAFF),
        family=[(member.school_id, member.person_id) for member in viewer.family],
    )
    if opened is None:
        raise NotFoundError
    return opened


async def access_taught_lesson(tx: Transaction, viewer: Viewer, lesson_id: UUID) -> OpenLesson:
    """The lesson, for whoever teaches it: the teachers of its course and of this one lesson.

    Raises:
        NotFoundError: there is no such lesson for this viewer.
        NotAllowedError: the viewer may see it only.
    """
    opened = await access_lesson(tx, viewer, lesson_id)
    if not opened.is_taught:
        raise NotAllowedError
    return opened
