"""Who people are, as frozen facts and pure rules."""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from firstbell.kernel.i18n import mark


class Role(StrEnum):
    """What a person is in a school. `OPERATOR` belongs to an account: it looks after the installation."""

    PUPIL = "pupil"
    TEACHER = "teacher"
    PARENT = "parent"
    HEAD = "head"
    SECRETARIAT = "secretariat"
    ICT = "ict"
    OPERATOR = "operator"


ROLE_NAMES = {
    Role.PUPIL: mark("Pupil"),
    Role.TEACHER: mark("Teacher"),
    Role.PARENT: mark("Parent"),
    Role.HEAD: mark("Head"),
    Role.SECRETARIAT: mark("Secretariat"),
    Role.ICT: mark("ICT coordinator"),
    Role.OPERATOR: mark("Operator"),
}
"""What people call them, in a list or under a name."""

LEADING = frozenset({Role.HEAD, Role.ICT, Role.OPERATOR})
"""Whose password only an ICT coordinator gives: who holds it runs the school."""

CARING = frozenset({Role.HEAD, Role.SECRETARIAT, Role.ICT})
"""Who sees the people of the whole school."""

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


class Named(msgspec.Struct, frozen=True):
    """Whoever has a name."""

    given_name: str
    family_name: str

    @property
    def full_name(self) -> str:
        """Given name and family name."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def initials(self) -> str:
        """At most two letters for the face."""
        return (self.given_name[:1] + self.family_name[:1]).upper()


class Viewer(Named, frozen=True, array_like=True):
    """Who asks: what the access cookie says, believed for 10 minutes without asking the database.

    `place` is what the rail shows under the name (`3B`); `family` has every person of the account in this
    cell, and for a pupil the present one alone.
    """

    session_id: UUID
    account_id: UUID
    school_id: UUID
    person_id: UUID
    place: str
    roles: tuple[Role, ...]
    locale: str | None
    family: tuple[Membership, ...]
    issued_at: float
    is_shared_device: bool = False

    @property
    def is_staff(self) -> bool:
        """True for whoever works at the school."""
        return self.is_any(STAFF)

    def is_any(self, roles: frozenset[Role]) -> bool:
        """True when the viewer has one of `roles`."""
        return not roles.isdisjoint(self.roles)


class Access(msgspec.Struct, frozen=True):
    """Who may call a route at all. What they may see through it, `access.py` of each domain decides."""

    name: str
    roles: frozenset[Role] | None = None
    is_public: bool = False


PUBLIC = Access("public", is_public=True)
REFRESHING = Access("whoever shows a refresh token", is_public=True)
"""The token alone says who that is, so nothing else is read."""
SIGNED_IN = Access("signed in")


def only(*roles: Role) -> Access:
    """Access for viewers with one of `roles`."""
    return Access(" or ".join(sorted(roles)), frozenset(roles))


class RefreshToken(NamedTuple):
    """What a browser shows to stay signed in: which session, the how-manieth token of it, and a MAC over both.

    The MAC is under the secret of the session's own row, so a token of a session that is gone is worth nothing.
    It is SHA-256, which PostgreSQL has too, cut in half, over a secret and a message that are always of one length:
    there is nothing to lengthen.
    """

    session_id: UUID
    generation: int
    mac: bytes

    @classmethod
    def issue(cls, session_id: UUID, generation: int, secret: bytes) -> "RefreshToken":
        """The one token of this generation."""
        return cls(session_id, generation, _refresh_mac(session_id, generation, secret))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken | None":
        """The token in a cookie, not yet believed, or None."""
        try:
            session, generation, mac = _REFRESH_TOKEN.unpack(base64.urlsafe_b64decode(text))
        except (binascii.Error, ValueError, struct.error):
            return None
        return cls(UUID(bytes=session), generation, mac) if 0 < generation < _GENERATION_MAX else None

    def text(self) -> str:
        """The value of the cookie."""
        packed = _REFRESH_TOKEN.pack(self.session_id.bytes, self.generation, self.mac)
        return base64.urlsafe_b64encode(packed).decode()

    @property
    def signed(self) -> bytes:
        """What the MAC is over."""
        return _REFRESH_SIGNED.pack(self.session_id.bytes, self.generation)

    def is_issued_with(self, secret: bytes) -> bool:
        """True when we made this token for the session that has this secret."""
        return hmac.compare_digest(self.mac, _refresh_mac(self.session_id, self.generation, secret))


_GENERATION_MAX = 2**31 - 1
_REFRESH_SIGNED = struct.Struct(">16si")
_REFRESH_TOKEN = struct.Struct(">16si16s")
"""48 letters in base64: session id, generation, MAC."""


def _refresh_mac(session_id: UUID, generation: int, secret: bytes) -> bytes:
    return hashlib.sha256(secret + _REFRESH_SIGNED.pack(session_id.bytes, generation)).digest()[:16]


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser as its row has it, and who its person is at this moment."""

    generation: int
    previous_generation: int | None
    rotated_at: datetime
    secret: bytes
    viewer: Viewer

    @property
    def token(self) -> RefreshToken:
        """The token that is good now."""
        return RefreshToken.issue(self.viewer.session_id, self.generation, self.secret)


class NewSession(msgspec.Struct, frozen=True):
    """What a session is made of at sign-in."""

    school_id: UUID
    id: UUID
    person_id: UUID
    account_id: UUID
    device_id: UUID
    browser: str
    is_shared_device: bool
    secret: bytes
    at: datetime
    expires_at: datetime


class Credentials(msgspec.Struct, frozen=True):
    """What a password is checked against."""

    person_id: UUID
    account_id: UUID
    password_hash: str | None


def sign_in_key(text: str) -> str:
    """A sign-in name as it is looked up: without spaces around it, in small letters."""
    return text.strip().lower()


class Person(Named, frozen=True):
    """Somebody of a school as a list shows them."""

    id: UUID
    roles: tuple[Role, ...]
    place: str


class PersonPage(Person, frozen=True):
    """Somebody of a school as the secretariat sees them."""

    account_id: UUID
    sign_in_name: str
    has_password: bool
    classes: tuple["Class", ...] = ()

    def takes_password_from(self, viewer: Viewer) -> bool:
        """True when `viewer` may give this person a new password: ICT to all, the secretariat to who does not lead."""
        if viewer.is_any(frozenset({Role.ICT})):
            return True
        return viewer.is_any(frozenset({Role.SECRETARIAT})) and LEADING.isdisjoint(self.roles)


class Class(msgspec.Struct, frozen=True):
    """3B: the pupils who have most lessons together."""

    id: UUID
    name: str
    pupils: int = 0
    teachers: tuple[str, ...] = ()


class Child(Named, frozen=True):
    """A child of the viewer, in whichever school of the cell."""

    school_id: UUID
    school_name: str
    person_id: UUID
    class_name: str
    is_linked: bool
    """By the viewer, with a code: then the viewer may undo it. What the roster says, the school undoes."""


class SignedIn(msgspec.Struct, frozen=True):
    """A session in the list on the account page."""

    id: UUID
    school_id: UUID
    browser: str
    created_at: datetime
    is_shared_device: bool


class SchoolLine(msgspec.Struct, frozen=True):
    """A school as the operator of the installation sees it: where it is and how many people it has."""

    school: School
    hosts: tuple[str, ...]
    people: dict[Role, int]


class Link(StrEnum):
    """What an activation code does for whoever enters it."""

    SELF = "self"
    CHILD = "child"


def link_by_code(viewer_roles: tuple[Role, ...], code_roles: tuple[Role, ...]) -> Link | None:
    """A pupil's code makes the pupil an adult's child; any other links the same human of another school.

    None when a pupil enters the code of an adult.
    """
    is_pupil, is_for_pupil = Role.PUPIL in viewer_roles, Role.PUPIL in code_roles
    if is_for_pupil and not is_pupil:
        return Link.CHILD
    return Link.SELF if is_for_pupil == is_pupil else None


_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""32 that nobody reads as another: no I, O, 0 and 1."""

CODE_LENGTH = 12
"""60 bits: nobody guesses one."""


def activation_code(random_bytes: bytes) -> str:
    """`CODE_LENGTH` random bytes as a code on paper: `ABCD-EFGH-JKLM`."""
    letters = "".join(_CODE_LETTERS[byte % 32] for byte in random_bytes)
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def hash_code(text: str) -> bytes:
    """What is kept of a code, however somebody typed it. 60 random bits need no slow hash."""
    letters = "".join(letter for letter in text.upper() if letter in _CODE_LETTERS)
    return hashlib.sha256(letters.encode()).digest()


PASSWORD_BYTES = 6
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeio"


def readable_password(random_bytes: bytes) -> str:
    """Random bytes as syllables that a ten-year-old can type, `kado-mire-vosi`: 6 bits in each of the six."""
    syllables = [_CONSONANTS[byte >> 4] + _VOWELS[byte & 3] for byte in random_bytes]
    return "-".join("".join(syllables[start : start + 2]) for start in range(0, len(syllables), 2))


def beginning_of(text: str) -> str:
    """What somebody typed in a search, as a LIKE pattern's beginning, in small letters."""
    words = " ".join(text.split()).lower()
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def by_class_name(name: str) -> list[tuple[int, str]]:
    """A key that puts 2B before 10A."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def page_to_open(asked: str) -> str:
    """The page of ours that somebody asked for before signing in; Today for anything that leads elsewhere.

    Browsers read a backslash as a slash and skip tabs and line ends, so that none of these may stand in it.
    """
    is_ours = asked.startswith("/") and not asked.startswith("//") and asked.isprintable() and "\\" not in asked
    return asked if is_ours and not asked.startswith("/sign-in") else "/"


_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"),
             ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "Chromebook"),
            ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"))  # fmt: skip


def browser_name(user_agent: str) -> str:
    """What people call the browser and where it runs, `Firefox · Android`; "" when it does not say."""
    found = [next((name for sign, name in signs if sign in user_agent), None) for signs in (_BROWSERS, _SYSTEMS)]
    return " · ".join(name for name in found if name)
