"""What the demo world is made of: schools, people, classes, courses. Frozen, and knows no files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha1

from firstbell.rehearsal.world.schoolyear import SchoolYear

SECONDARY, PRIMARY = "secondary", "primary"


class Role(StrEnum):
    """What somebody is in a school. A guardian is a parent's account held by another relative."""

    PUPIL = "pupil"
    TEACHER = "teacher"
    PARENT = "parent"
    GUARDIAN = "guardian"
    HEAD = "head"
    SECRETARIAT = "secretariat"
    ICT = "ict"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody in one school. `relatives` are the ids of a pupil's parents, or of a parent's children."""

    id: str
    role: Role
    given_name: str
    family_name: str
    sign_in_name: str
    sex: str
    birth_date: date | None = None
    relatives: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Brothers and sisters of one school and who looks after them; the separated live at two addresses."""

    pupil_ids: tuple[str, ...]
    parent_ids: tuple[str, ...]
    separated: bool


@dataclass(frozen=True, slots=True, eq=False)
class SchoolClass:
    """A class such as 3B with its own room, its pupils and the teacher who looks after it."""

    id: str
    name: str
    year: int
    room: str
    pupil_ids: tuple[str, ...]
    homeroom_teacher_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One subject for one class, or for a group of pupils out of several classes of the same year."""

    id: str
    code: str
    title: str
    subject: str
    level: str
    year: int
    hours: int
    group: str
    """The class that it is for, or the classes together: 3AB."""
    class_ids: tuple[str, ...]
    teacher_ids: tuple[str, ...]
    pupil_ids: tuple[str, ...]
    band: str | None = None
    """Courses of one band are taught at the same hours: each pupil follows exactly one of them."""


@dataclass(frozen=True, slots=True, eq=False)
class School:
    """One tenant and everything that its roster says."""

    id: str
    slug: str
    name: str
    level: str
    year: SchoolYear
    today: date
    """The day on which the world is looked at: notes are written for the weeks around it."""
    staff: tuple[Person, ...]
    pupils: tuple[Person, ...]
    parents: tuple[Person, ...]
    families: tuple[Family, ...]
    classes: tuple[SchoolClass, ...]
    courses: tuple[Course, ...]
    locale: str = "nl"
    timezone: str = "Europe/Brussels"

    @property
    def host(self) -> str:
        """The host name under which browsers reach the school on a laptop."""
        return f"{self.slug}.localhost"

    @property
    def people(self) -> Iterator[Person]:
        """Staff, then pupils, then parents."""
        yield from self.staff
        yield from self.pupils
        yield from self.parents

    def email(self, person: Person) -> str:
        """An address in a domain that is reserved for examples, so that no message ever reaches anybody."""
        domain = "post" if person.role in {Role.PARENT, Role.GUARDIAN} else self.slug
        return f"{person.sign_in_name}@{domain}.example"


@dataclass(frozen=True, slots=True)
class CastMember:
    """Somebody whom the demo introduces by name. An operator belongs to no school."""

    role: Role
    name: str
    school: str | None
    sign_in_name: str


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """All schools of one demo, with the people whose sign-in names never change."""

    seed: int
    today: date
    year: SchoolYear
    schools: tuple[School, ...]
    cast: tuple[CastMember, ...]

    def school(self, slug: str) -> School:
        """Return the school with this slug. Raises KeyError when there is none."""
        for school in self.schools:
            if school.slug == slug:
                return school
        raise KeyError(slug)


def stable_id(*names: object) -> str:
    """Return a UUID made of names alone: the same names give the same id in every run.

    Layout of version 5 in RFC 9562, over a namespace of our own; written out because a large world
    needs millions of them and uuid.uuid5 takes three times as long.
    """
    digest = bytearray(sha1("\x1f".join(map(str, ("firstbell", *names))).encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
