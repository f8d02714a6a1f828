"""A school of a handful of invented people, as the files that its administration hands over."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Done, Installation

Row = dict[str, str]

COLUMNS = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,"
    "identifier,email,sms,phone,agentSourcedIds,grades,password,preferredGivenName",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
    "userProfileSourcedId",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
    "demographics": "sourcedId,status,dateLastModified,birthDate,sex",
    "userProfiles": "sourcedId,status,dateLastModified,userSourcedId,profileType,vendorId,username,password",
}
USERS_1_1 = COLUMNS["users"] + ",role,orgSourcedIds"


@dataclass
class Roster:
    """The files of one export, row by row, to be changed by a test before they are written."""

    version: str = "1.2"
    mode: str = "bulk"
    modes: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    extra: dict[str, bytes] = field(default_factory=dict)

    def add(self, table: str, source_id: str, **values: str) -> "Roster":
        self.tables.setdefault(table, []).append({"sourcedId": source_id, **values})
        return self

    def person(self, source_id: str, name: str, role: str, **values: str) -> "Roster":
        """A user and the role."""
        given, _, family = name.partition(" ")
        sign_in_name = name.lower().replace(" ", ".")
        known = {"enabledUser": "true", "username": sign_in_name, "givenName": given, "familyName": family, **values}
        if self.version == "1.1":
            return self.add("users", source_id, role=role, orgSourcedIds="wilge", **known)
        self.add("users", source_id, **known)
        return self.role(source_id, role)

    def role(self, user: str, role: str, **values: str) -> "Roster":
        known = {"userSourcedId": user, "roleType": "primary", "role": role, "orgSourcedId": "wilge", **values}
        return self.add("roles", f"{user}-{role}", **known)

    def class_(self, source_id: str, title: str, kind: str = "homeroom", **values: str) -> "Roster":
        known = {"schoolSourcedId": "wilge", "termSourcedIds": "autumn", "courseSourcedId": "", **values}
        return self.add("classes", source_id, title=title, classType=kind, **known)

    def enrol(self, user: str, *classes: str, role: str = "student", **values: str) -> "Roster":
        for each in classes:
            known = {"classSourcedId": each, "userSourcedId": user, "schoolSourcedId": "wilge", "role": role, **values}
            self.add("enrollments", f"{each}-{user}-{role}", **known)
        return self

    def row(self, table: str, source_id: str) -> Row:
        return next(row for row in self.tables[table] if row["sourcedId"] == source_id)

    def without(self, *source_ids: str) -> "Roster":
        """As if these had never been in any file, and nobody spoke of them."""
        gone = set(source_ids)
        for table, rows in self.tables.items():
            self.tables[table] = [row for row in rows if not gone & set(row.values())]
            for row in self.tables[table]:
                if "agentSourcedIds" in row:
                    row["agentSourcedIds"] = ",".join(set(row["agentSourcedIds"].split(",")) - gone)
        return self

    def files(self) -> dict[str, bytes]:
        """The bytes of each file."""
        made = {f"{name}.csv": _csv(self._columns(name), rows).encode() for name, rows in self.tables.items()}
        modes = {**{name: self.mode if name in self.tables else "absent" for name in COLUMNS}, **self.modes}
        manifest = [("manifest.version", "1.0"), ("oneroster.version", self.version)]
        manifest += [(f"file.{name}", mode) for name, mode in modes.items()]
        text = "propertyName,value\r\n" + "".join(f"{name},{value}\r\n" for name, value in manifest)
        return {"manifest.csv": text.encode(), **made, **self.extra}

    def _columns(self, name: str) -> list[str]:
        return (USERS_1_1 if name == "users" and self.version == "1.1" else COLUMNS[name]).split(",")

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.files().items():
            (folder / name).write_bytes(data)
        return folder

    def zip(self, path: Path, top: str = "") -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.files().items():
                archive.writestr(top + name, data)
        return path


def _csv(columns: list[str], rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def small_roster(version: str = "1.2") -> Roster:
    """De Wilge: Noor and Wout of 3B, Sam of 3A, two teachers, Noor's mother, the head; three courses."""
    roster = Roster(version)
    roster.add("orgs", "heuvel", name="Scholengroep De Heuvel", type="district")
    roster.add("orgs", "wilge", name="De Wilge", type="school", identifier="012345", parentSourcedId="heuvel")
    year = {"startDate": "2026-09-01", "endDate": "2027-09-01", "schoolYear": "2027"}
    roster.add("academicSessions", "year", title="2026-2027", type="schoolYear", **year)
    term = {**year, "endDate": "2027-01-01", "parentSourcedId": "year"}
    roster.add("academicSessions", "autumn", title="Herfst", type="term", **term)
    roster.person("noor", "Noor Vermeulen", "student", agentSourcedIds="hilde")
    roster.person("wout", "Wout Peeters", "student")
    roster.person("sam", "Sam Claes", "student")
    roster.person("tariq", "Tariq Benali", "teacher")
    roster.person("greet", "Greet Maes", "teacher")
    roster.person("hilde", "Hilde Smets", "parent", agentSourcedIds="noor")
    roster.person("an", "An Wouters", "administrator" if version == "1.1" else "principal")
    roster.add("courses", "maths", title="Wiskunde", schoolYearSourcedId="year", orgSourcedId="heuvel")
    roster.add("courses", "latin", title="Latijn", schoolYearSourcedId="year", orgSourcedId="wilge")
    roster.class_("3a", "3A")
    roster.class_("3b", "3B")
    roster.class_("maths-3b", "Wiskunde 3B", "scheduled", courseSourcedId="maths", classCode="WIS-3B")
    roster.class_("latin-3", "Latijn 3", "scheduled", courseSourcedId="latin", classCode="LAT-3")
    roster.class_("choir", "Koor", "scheduled", classCode="KOOR")
    roster.enrol("noor", "3b", "maths-3b", "latin-3", "choir")
    roster.enrol("wout", "3b", "maths-3b")
    roster.enrol("sam", "3a", "latin-3")
    roster.enrol("tariq", "3b", "maths-3b", role="teacher")
    roster.enrol("greet", "3a", "latin-3", role="teacher")
    roster.add("demographics", "noor", birthDate="2012-05-04", sex="female")
    if version == "1.2":
        roster.add("userProfiles", "noor-profile", userSourcedId="noor", profileType="LMS", username="noor")
    return roster


@dataclass
class School:
    """An empty school of its own for each test, and the command line that fills it."""

    installation: Installation
    slug: str
    folder: Path
    _written: Iterator[int] = field(default_factory=count)

    def put(self, roster: Roster | Path, *options: str, **settings: str) -> Done:
        """`firstbell school import`."""
        path = str(self.write(roster))
        return self.installation.run("school", "import", path, "--school", self.slug, *options, **settings)

    def write(self, roster: Roster | Path) -> Path:
        """The files of `roster` in a folder of their own."""
        return roster if isinstance(roster, Path) else roster.write(self.folder / f"roster-{next(self._written)}")

    @cached_property
    def _id(self) -> UUID:
        found: UUID = self.installation.sql("SELECT id FROM school WHERE slug = $1", self.slug)[0]["id"]
        return found

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement in which `$1` is this school."""
        return [tuple(row) for row in self.installation.sql(statement, self._id, *parameters)]

    def state(self) -> list[tuple[Any, ...]]:
        """Everything that an import may write, for a look at whether anything changed."""
        tables = (
            "person", "guardianship", "school_year", "class", "class_member", "course", "enrolment", "folder",
        )  # fmt: skip
        return self.rows(
            " UNION ALL ".join(f"SELECT '{name}', {name}::text FROM {name} WHERE school_id = $1" for name in tables)
            + " ORDER BY 1, 2"
        )


_numbers = count(1)


def add_school(installation: Installation, folder: Path) -> School:
    """An empty school."""
    slug = f"wilge-{next(_numbers)}"
    done = installation.run("school", "add", slug, "--name", "De Wilge", "--host", f"{slug}.test")
    assert done.returncode == 0, done.stderr
    return School(installation, slug, folder / slug)


@pytest.fixture
def make_school(installation: Installation, tmp_path: Path) -> Callable[[], School]:
    """Add a school."""
    return lambda: add_school(installation, tmp_path)


@pytest.fixture
def school(make_school: Callable[[], School]) -> School:
    """A school of its own."""
    return make_school()


@pytest.fixture(scope="module")
def shared_school(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> School:
    """One filled school for the tests of a module that change nothing."""
    school = add_school(installation, tmp_path_factory.mktemp("shared"))
    done = school.put(small_roster())
    assert done.returncode == 0, done.stderr
    return school
