"""What a course is, and what somebody is in it."""

import zlib
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from firstbell.domains.people.model import Named
from firstbell.kernel.events import Event

_HUES = 8
_SEED = 2131
"""With it the eight subjects that every class has differ, and so do the next eight."""


class Part(StrEnum):
    """What a viewer is to a course."""

    PUPIL = "pupil"
    TEACHER = "teacher"
    PARENT = "parent"
    STAFF = "staff"


class Course(msgspec.Struct, frozen=True):
    """A subject taught to an audience (`3B`, `3A + 3B`), as one viewer may see it: `part` is what they are to it."""

    school_id: UUID
    id: UUID
    title: str
    audience: str
    folder_id: UUID
    part: Part

    @property
    def may_write(self) -> bool:
        """Its teachers look after its documents."""
        return self.part is Part.TEACHER

    @property
    def sees_pupils(self) -> bool:
        """A parent sees who teaches, not who the other children are."""
        return self.part is not Part.PARENT

    @property
    def hue(self) -> int:
        """Its colour."""
        return hue_of(self.title)


class CoursesRetired(Event, frozen=True):
    """Courses of a school are no longer in its roster, from this instant on."""

    school_id: UUID
    course_ids: tuple[UUID, ...]
    at: datetime


class CourseEntry(msgspec.Struct, frozen=True):
    """A course in a list; `child` is for whom a parent sees it."""

    id: UUID
    title: str
    audience: str
    teachers: str
    child: str

    @property
    def hue(self) -> int:
        """Its colour."""
        return hue_of(self.title)


class Participant(Named, frozen=True):
    """Somebody who teaches or follows a course."""

    is_teacher: bool


def hue_of(title: str) -> int:
    """One of the eight colours: the same subject has the same one in every class and every year."""
    return zlib.crc32(title.casefold().encode(), _SEED) % _HUES
