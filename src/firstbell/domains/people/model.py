"""Who people are, as frozen facts and pure rules."""

from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec


class Role(StrEnum):
    """What a person is in a school. `OPERATOR` belongs to an account: it looks after the installation."""

    PUPIL = "pupil"
    TEACHER = "teacher"
    PARENT = "parent"
    HEAD = "head"
    SECRETARIAT = "secretariat"
    ICT = "ict"
    OPERATOR = "operator"


STAFF = frozenset({Role.TEACHER, Role.HEAD, Role.SECRETARIAT, Role.ICT})


class School(msgspec.Struct, frozen=True):
    """A tenant."""

    id: UUID
    slug: str
    name: str
    locale: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        """Lessons are in this zone's local time."""
        return ZoneInfo(self.time_zone)


class Membership(msgspec.Struct, frozen=True, array_like=True):
    """One person of an account: the same human in one school."""

    school_id: UUID
    person_id: UUID


class Viewer(msgspec.Struct, frozen=True, array_like=True):
    """Who asks: what the access cookie says, believed for 10 minutes without asking the database.

    `place` is what the rail shows under the name (`3B`); `family` has every person of the account in this
    cell.
    """

    session_id: UUID
    account_id: UUID
    school_id: UUID
    person_id: UUID
    given_name: str
    family_name: str
    place: str
    roles: tuple[Role, ...]
    locale: str | None
    family: tuple[Membership, ...]
    expires_at: int
    is_shared_device: bool = False

    @property
    def full_name(self) -> str:
        """Given name and family name."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def initials(self) -> str:
        """At most two letters for the face."""
        return (self.given_name[:1] + self.family_name[:1]).upper()

    def is_any(self, roles: frozenset[Role]) -> bool:
        """True when the viewer has one of `roles`."""
        return not roles.isdisjoint(self.roles)


class Access(msgspec.Struct, frozen=True):
    """Who may call a route at all. What they may see through it, `access.py` of each domain decides."""

    name: str
    roles: frozenset[Role] | None = None
    is_public: bool = False


PUBLIC = Access("public", is_public=True)
SIGNED_IN = Access("signed in")


def only(*roles: Role) -> Access:
    """Access for viewers with one of `roles`."""
    return Access(" or ".join(sorted(roles)), frozenset(roles))
