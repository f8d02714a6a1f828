"""What the today page gathers beside lessons."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from markupsafe import Markup

from firstbell.domains.documents.model import Kind, kind_of


class Greeting(StrEnum):
    """What people say at this hour."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


_NOON, _SIX = 12, 18


def greeting_at(now: datetime) -> Greeting:
    """The greeting for a local time."""
    if now.hour < _NOON:
        return Greeting.MORNING
    return Greeting.AFTERNOON if now.hour < _SIX else Greeting.EVENING


class NewDocument(msgspec.Struct, frozen=True):
    """A document that was added to a course in the last days."""

    href: str
    name: str
    kind: Kind
    course: str
    added_at: datetime
    drawn: dict[str, Markup] = {}
    """What the page made of it, by language."""


class CourseNews(msgspec.Struct, frozen=True, eq=False):
    """The newest documents of a course, and the folder in which they are; equal to itself alone, as `CourseCards`."""

    folder_id: UUID
    documents: tuple[NewDocument, ...]

    @classmethod
    def of(
        cls, course_id: UUID, folder_id: UUID, title: str, documents: Iterable[tuple[UUID, str, str, datetime]]
    ) -> "CourseNews":
        """The news of a course, from its rows."""
        return cls(
            folder_id,
            tuple(
                [
                    NewDocument(f"/courses/{course_id}/documents/{document_id}", name, kind_of(kind), title, added_at)
                    for document_id, name, kind, added_at in documents
                ]
            ),
        )


def newest(news: Sequence[CourseNews], most: int) -> list[NewDocument]:
    """The newest documents of several courses."""
    every = [document for course in news for document in course.documents]
    every.sort(key=lambda document: document.added_at, reverse=True)
    return every[:most]
