"""The door to a course."""

from uuid import UUID

from firstbell.domains.courses import queries
from firstbell.domains.courses.model import Course
from firstbell.domains.documents.model import Document
from firstbell.domains.people.model import Membership, Role, Viewer
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import NotFoundError

EVERY_COURSE = frozenset({Role.HEAD, Role.SECRETARIAT, Role.ICT})
"""Who reads every course of the school."""


async def access_course(tx: Transaction, viewer: Viewer, course_id: UUID) -> Course:
    """A course that the viewer follows or teaches, that a child of theirs follows, or that is in the school they run.

    A parent's children may be in several schools, so a parent's transaction reads them all.

    Raises:
        NotFoundError: there is none, or not for this viewer.
    """
    persons = await readable_persons(tx, viewer)
    course = await queries.find_course(tx, course_id, persons, _staff_of(viewer))
    if course is None:
        raise NotFoundError
    return course


async def access_course_document(
    tx: Transaction, viewer: Viewer, course_id: UUID, document_id: UUID
) -> tuple[UUID, Document]:
    """A document of a course that `access_course` would give, in one statement, and the school that it is in.

    Raises:
        NotFoundError: there is none, or not for this viewer, or it is in the bin.
    """
    persons = await readable_persons(tx, viewer)
    found = await queries.find_document(tx, course_id, document_id, persons, _staff_of(viewer))
    if found is None:
        raise NotFoundError
    return found


def _staff_of(viewer: Viewer) -> UUID | None:
    return viewer.school_id if viewer.is_any(EVERY_COURSE) else None


async def readable_persons(tx: Transaction, viewer: Viewer) -> tuple[Membership, ...]:
    """As whom the viewer reads: for a parent, their persons in every school, which the transaction then reads too."""
    own = Membership(viewer.school_id, viewer.person_id)
    if Role.PARENT not in viewer.roles:
        return (own,)
    schools = {person.school_id for person in viewer.family}
    if len(schools) > 1:
        await tx.read_also(schools)
    return viewer.family
