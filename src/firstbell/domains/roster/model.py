"""What OneRoster CSV files say, version by version, and the rules for a single row; no I/O.

Sources: 1EdTech "OneRoster CSV Tables" 1.1 and "OneRoster CSV Binding" 1.2. How it becomes people, classes and courses
is told in docs/decisions/0004-oneroster.md.
"""

import json
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from enum import StrEnum
from operator import itemgetter
from typing import Any

import msgspec

from firstbell.domains.people.model import Role

ID_CHARS_MAX = 255
NAME_CHARS_MAX = 200
CLASS_NAME_CHARS_MAX = 100
EMAIL_CHARS_MAX = 320
LIST_IDS_MAX = 200
"""Nobody has more parents, children, schools or terms."""
LEVELS_MAX = 10
"""How deep organisations and terms may lie: a country's ministry needs six."""

VERSIONS = ("1.1", "1.2")

Flaws = list[tuple[str, str]]
"""What is wrong with a row: column and reason."""
Staged = tuple[Any, ...]


class RosterError(ValueError):
    """The files cannot be imported; the message is one sentence for whoever gave them."""


class Rejection(msgspec.Struct, frozen=True):
    """Why a row is not taken."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}, column {self.column}: {self.reason}."


class Mode(StrEnum):
    """What the manifest says of a file: everything there is, only what changed, or nothing."""

    BULK = "bulk"
    DELTA = "delta"
    ABSENT = "absent"


class Manifest(msgspec.Struct, frozen=True):
    """`manifest.csv`: the version, and how each file is to be read."""

    version: str
    modes: dict[str, Mode]

    def mode(self, name: str) -> Mode:
        """How the file `name` (users) is to be read."""
        return self.modes.get(name, Mode.ABSENT)


def read_manifest(properties: Iterable[tuple[str, str]]) -> Manifest:
    """The manifest that these properties make.

    Raises:
        RosterError: a version that we do not read, or a word that is none of bulk, delta and absent.
    """
    values = {name.strip(): value.strip() for name, value in properties}
    version = values.get("oneroster.version", "")
    if not version.startswith(VERSIONS):
        raise RosterError(f"manifest.csv: oneroster.version is {shown(version)}; versions 1.1 and 1.2 can be read.")
    modes = {}
    for name, value in values.items():
        if name.startswith("file."):
            if value.lower() not in list(Mode):
                raise RosterError(f"manifest.csv: {name} is {shown(value)}; it must be bulk, delta or absent.")
            modes[name.removeprefix("file.")] = Mode(value.lower())
    manifest = Manifest(version[:3], modes)
    if version.startswith("1.2") and manifest.mode("users") is Mode.BULK and manifest.mode("roles") is Mode.ABSENT:
        raise RosterError("manifest.csv: OneRoster 1.2 says in roles.csv who is what, and that file is absent.")
    return manifest


# What each OneRoster role is here. An aide, a counselor and a proctor work with pupils in the courses that they are
# enrolled in; an administrator of 1.1 may be anybody in the office, so it gets the least of what that could mean.
_ROLES: dict[str, Role] = {
    "student": Role.PUPIL,
    "teacher": Role.TEACHER,
    "aide": Role.TEACHER,
    "counselor": Role.TEACHER,
    "proctor": Role.TEACHER,
    "parent": Role.PARENT,
    "guardian": Role.PARENT,
    "relative": Role.PARENT,
    "principal": Role.HEAD,
    "administrator": Role.SECRETARIAT,
    "siteAdministrator": Role.SECRETARIAT,
    "districtAdministrator": Role.SECRETARIAT,
    "systemAdministrator": Role.ICT,
}
_ENROLMENT_ROLES = {
    "student": "pupil",
    "teacher": "teacher",
    "aide": "teacher",
    "proctor": "teacher",
    "administrator": "",
}


class RoleMapping(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping file: what the school's files cannot say.

    Attributes:
        school: sourcedId or identifier of the school's row in orgs.csv, when that has several schools.
        roles: sourcedId or identifier of a user to the roles that this person has here.
        meanings: OneRoster role (also one of its own, `ext:...`) to ours, before the usual table.
        groups: sourcedId or classCode of scheduled classes that are groups of pupils rather than courses.
    """

    school: str = ""
    roles: dict[str, tuple[Role, ...]] = {}
    meanings: dict[str, Role] = {}
    groups: frozenset[str] = frozenset()

    def meaning(self, role: str) -> Role | None:
        """Our role for a role of OneRoster, or None."""
        return self.meanings.get(role) or _ROLES.get(role)


def read_mapping(name: str, text: str) -> RoleMapping:
    """The mapping file `name`: TOML, or JSON when its name ends in .json.

    Raises:
        RosterError: it is neither, or says something else than a mapping does.
    """
    try:
        said = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
        mapping = msgspec.convert(_with_lists(said), RoleMapping)
    except (ValueError, RecursionError) as error:
        raise RosterError(f"{name} is not a mapping file: {str(error).splitlines()[0]}.") from error
    unknown = set(said) - set(RoleMapping.__struct_fields__)
    if unknown:
        raise RosterError(f"{name} is not a mapping file: it says {shown(min(unknown))}.")
    if any(Role.OPERATOR in roles for roles in mapping.roles.values()) or Role.OPERATOR in mapping.meanings.values():
        raise RosterError(f"{name}: nobody becomes operator of the installation by a roster.")
    return mapping


def _with_lists(said: Any) -> Any:
    """One role may stand without brackets."""
    if not isinstance(said, dict) or not isinstance(said.get("roles", {}), dict):
        return said
    roles = said.get("roles", {})
    return {**said, "roles": {key: [role] if isinstance(role, str) else role for key, role in roles.items()}}


Rule = Callable[[Sequence[str], RoleMapping, Flaws], Staged]


class RosterFile(msgspec.Struct, frozen=True):
    """One file: the columns that are read, in the order in which its rule gets them and with what it makes of them."""

    name: str
    table: str
    columns: tuple[str, ...]
    optional: frozenset[str]
    staged: tuple[str, ...]
    rule: Rule
    versions: tuple[str, ...] = VERSIONS

    def picker(self, header: Sequence[str]) -> Callable[[Sequence[str]], Sequence[str]]:
        """Takes the columns out of a row to which one empty cell was added at the end.

        Raises:
            RosterError: a column is missing.
        """
        missing = [column for column in self.columns if column not in header and column not in self.optional]
        if missing:
            raise RosterError(f"{self.name}.csv lacks the column {missing[0]}.")
        nothing = len(header)
        return itemgetter(*(header.index(column) if column in header else nothing for column in self.columns))


def read_row(file: RosterFile, cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    """What is staged for a row with these cells: its sourcedId, whether it is to be deleted, what its rule makes.

    A row that is to be deleted needs no more than the ids by which it is found.
    """
    source_id = _id(cells[0], "sourcedId", flaws)
    status = cells[1].strip().lower()
    if status not in ("", "active", "tobedeleted"):
        flaws.append(("status", f"is {shown(cells[1])}; it must be active, tobedeleted or empty"))
    made = file.rule(cells, mapping, flaws)
    if status == "tobedeleted":
        flaws[:] = [flaw for flaw in flaws if flaw[0].endswith("ourcedId")]
    return (source_id, status == "tobedeleted", *made)


def _org(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    _, _, name, kind, identifier, parent = cells
    return (
        _text(name, "name", NAME_CHARS_MAX, flaws),
        _word(kind, "type", flaws),
        identifier.strip(),
        _reference(parent, "parentSourcedId", flaws),
    )


def _session(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    _, _, title, kind, start, end, parent = cells
    starts_on, ends_on = _date(start, "startDate", flaws), _date(end, "endDate", flaws)
    if starts_on is None and not flaws:
        flaws.append(("startDate", "is empty"))
    if ends_on is None and not flaws:
        flaws.append(("endDate", "is empty"))
    if starts_on and ends_on and ends_on <= starts_on:
        flaws.append(("endDate", f"is {ends_on}, which is not after {starts_on}"))
    return (
        _text(title, "title", CLASS_NAME_CHARS_MAX, flaws),
        _word(kind, "type", flaws),
        starts_on,
        ends_on,
        _reference(parent, "parentSourcedId", flaws),
    )


def _person(cells: Sequence[str], flaws: Flaws) -> Staged:
    _, _, enabled, username, given, family, preferred_given, preferred_family, identifier, email, agents = cells
    return (
        _truth(enabled, "enabledUser", flaws),
        _text(username, "username", NAME_CHARS_MAX, flaws),
        _text(preferred_given or given, "givenName", NAME_CHARS_MAX, flaws),
        _text(preferred_family or family, "familyName", NAME_CHARS_MAX, flaws, is_required=False),
        identifier.strip()[:ID_CHARS_MAX],
        _text(email, "email", EMAIL_CHARS_MAX, flaws, is_required=False) or None,
        _list(agents, "agentSourcedIds", flaws),
    )


def _user_1_1(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    *person, role, orgs = cells
    return (*_person(person, flaws), _check_role(role, mapping, flaws), _list(orgs, "orgSourcedIds", flaws))


def _user_1_2(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    return (*_person(cells, flaws), None, [])


def _role(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    _, _, user, role, org, end = cells
    return (
        _id(user, "userSourcedId", flaws),
        _check_role(role, mapping, flaws),
        _id(org, "orgSourcedId", flaws),
        _date(end, "endDate", flaws),
    )


def _course(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    _, _, title, year, org = cells
    return (
        _text(title, "title", NAME_CHARS_MAX, flaws),
        _reference(year, "schoolYearSourcedId", flaws),
        _reference(org, "orgSourcedId", flaws),
    )


def _class(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    source_id, _, title, course, code, kind, school, terms, subjects = cells
    if kind not in ("homeroom", "scheduled"):
        flaws.append(("classType", f"is {shown(kind)}; it must be homeroom or scheduled"))
    is_group = source_id.strip() in mapping.groups or (code.strip() != "" and code.strip() in mapping.groups)
    is_course = kind == "scheduled" and not is_group
    named = [subject.strip() for subject in subjects.split(",") if subject.strip()]
    return (
        _text(title, "title", NAME_CHARS_MAX if is_course else CLASS_NAME_CHARS_MAX, flaws),
        _reference(course, "courseSourcedId", flaws),
        "course" if is_course else "class" if kind == "homeroom" else "group",
        _id(school, "schoolSourcedId", flaws),
        _list(terms, "termSourcedIds", flaws),
        _text(named[0], "subjects", NAME_CHARS_MAX, flaws) if len(named) == 1 else None,
    )


def _enrolment(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    _, _, course, school, user, role, end = cells
    meaning = _ENROLMENT_ROLES.get(role)
    if meaning is None:
        flaws.append(("role", f"is {shown(role)}; it must be student, teacher, aide, proctor or administrator"))
    return (
        _id(course, "classSourcedId", flaws),
        _id(school, "schoolSourcedId", flaws),
        _id(user, "userSourcedId", flaws),
        meaning,
        _date(end, "endDate", flaws) if end else None,
    )


def _demographic(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    return (_date(cells[2], "birthDate", flaws),)


def _profile(cells: Sequence[str], mapping: RoleMapping, flaws: Flaws) -> Staged:
    return (_id(cells[2], "userSourcedId", flaws),)


def _id(value: str, column: str, flaws: Flaws) -> str:
    value = value.strip()
    if not value:
        flaws.append((column, "is empty"))
    elif len(value) > ID_CHARS_MAX:
        flaws.append((column, f"is longer than {ID_CHARS_MAX} characters"))
        return ""
    return value


def _reference(value: str, column: str, flaws: Flaws) -> str | None:
    return _id(value, column, flaws) if value.strip() else None


def _list(value: str, column: str, flaws: Flaws) -> list[str]:
    if not value:
        return []
    ids = [_id(part, column, flaws) for part in value.split(",") if part.strip()]
    if len(ids) > LIST_IDS_MAX:
        flaws.append((column, f"has more than {LIST_IDS_MAX} ids"))
        return []
    return ids


def _text(value: str, column: str, chars_max: int, flaws: Flaws, *, is_required: bool = True) -> str:
    """`value` on one line, its accents composed, so that a name from a Mac is the name that a phone types."""
    value = " ".join(value.split())
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    if len(value) > chars_max:
        flaws.append((column, f"is longer than {chars_max} characters"))
        return ""
    if is_required and not value:
        flaws.append((column, "is empty"))
    return value


def _word(value: str, column: str, flaws: Flaws) -> str:
    """One of OneRoster's words of which only some matter here, such as the type of an organisation."""
    return _text(value, column, CLASS_NAME_CHARS_MAX, flaws)


def _truth(value: str, column: str, flaws: Flaws) -> bool:
    said = value.strip().lower()
    if said not in ("true", "false"):
        flaws.append((column, f"is {shown(value)}; it must be true or false"))
    return said == "true"


def _check_role(value: str, mapping: RoleMapping, flaws: Flaws) -> Role | None:
    role = mapping.meaning(value.strip())
    if role is None:
        flaws.append(("role", f"is {shown(value)}; the mapping file can tell which role that is here"))
    return role


def _date(value: str, column: str, flaws: Flaws) -> date | None:
    value = value.strip()
    if not value:
        return None
    try:
        if len(value) == 10:  # noqa: PLR2004 the length of YYYY-MM-DD; fromisoformat also takes weeks
            return date.fromisoformat(value)
    except ValueError:
        pass
    flaws.append((column, f"is {shown(value)}; it must be a date such as 2026-09-01"))
    return None


def shown(value: str) -> str:
    """A value of a file in a sentence: in quotes, short, and harmless on a terminal."""
    return repr(value if len(value) <= 40 else value[:39] + "…")  # noqa: PLR2004 a line of a terminal holds two


_COMMON = ("sourcedId", "status")
_PERSON = (
    *_COMMON, "enabledUser", "username", "givenName", "familyName", "preferredGivenName", "preferredFamilyName",
    "identifier", "email", "agentSourcedIds",
)  # fmt: skip
_PERSON_OPTIONAL = frozenset(
    {"status", "preferredGivenName", "preferredFamilyName", "identifier", "email", "agentSourcedIds"}
)
_PERSON_STAGED = (
    "is_enabled", "sign_in_name", "given_name", "family_name", "identifier", "email", "agent_source_ids", "role",
    "org_source_ids",
)  # fmt: skip

FILES: tuple[RosterFile, ...] = (
    RosterFile(
        "orgs",
        "roster_org",
        (*_COMMON, "name", "type", "identifier", "parentSourcedId"),
        frozenset({"status", "identifier", "parentSourcedId"}),
        ("name", "kind", "identifier", "parent_source_id"),
        _org,
    ),
    RosterFile(
        "academicSessions",
        "roster_session",
        (*_COMMON, "title", "type", "startDate", "endDate", "parentSourcedId"),
        frozenset({"status", "parentSourcedId"}),
        ("title", "kind", "starts_on", "ends_on", "parent_source_id"),
        _session,
    ),
    RosterFile(
        "users",
        "roster_user",
        (*_PERSON, "role", "orgSourcedIds"),
        _PERSON_OPTIONAL,
        _PERSON_STAGED,
        _user_1_1,
        ("1.1",),
    ),
    RosterFile("users", "roster_user", _PERSON, _PERSON_OPTIONAL, _PERSON_STAGED, _user_1_2, ("1.2",)),
    RosterFile(
        "roles",
        "roster_role",
        (*_COMMON, "userSourcedId", "role", "orgSourcedId", "endDate"),
        frozenset({"status", "endDate"}),
        ("user_source_id", "role", "org_source_id", "ends_on"),
        _role,
        ("1.2",),
    ),
    RosterFile(
        "courses",
        "roster_course",
        (*_COMMON, "title", "schoolYearSourcedId", "orgSourcedId"),
        frozenset({"status", "schoolYearSourcedId"}),
        ("title", "year_source_id", "org_source_id"),
        _course,
    ),
    RosterFile(
        "classes",
        "roster_class",
        (
            *_COMMON, "title", "courseSourcedId", "classCode", "classType", "schoolSourcedId", "termSourcedIds",
            "subjects",
        ),
        frozenset({"status", "courseSourcedId", "classCode", "termSourcedIds", "subjects"}),
        ("title", "course_source_id", "kind", "school_source_id", "term_source_ids", "subject"),
        _class,
    ),
    RosterFile(
        "enrollments",
        "roster_enrolment",
        (*_COMMON, "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "endDate"),
        frozenset({"status", "endDate"}),
        ("class_source_id", "school_source_id", "user_source_id", "role", "ends_on"),
        _enrolment,
    ),
    RosterFile(
        "demographics",
        "roster_demographic",
        (*_COMMON, "birthDate"),
        frozenset({"status"}),
        ("birth_date",),
        _demographic,
    ),
    RosterFile(
        "userProfiles",
        "roster_profile",
        (*_COMMON, "userSourcedId"),
        frozenset({"status"}),
        ("user_source_id",),
        _profile,
        ("1.2",),
    ),
)  # fmt: skip
"""The files that are read, each after those that it refers to."""
