"""Writes a school's roster as OneRoster CSV 1.1 or 1.2, the way an administration package exports it.

Columns and their order are those of the 1EdTech specifications "OneRoster CSV Tables" 1.1 and "OneRoster
CSV Binding" 1.2. Everything is sent in bulk, so status and dateLastModified stay empty. In both versions:

- a class such as 3B is a row of classes.csv with classType `homeroom`; a course is one with `scheduled`,
  whose classCode (WIS-3B) is unique in the school and whose `subjects` holds the plain name of the subject;
- the enrolments of a course say whether it is for a class or for a group of pupils of several classes;
- parents are users linked in both directions by agentSourcedIds.

Version 1.1 knows no role for a secretariat or an ICT coordinator: it says `aide` and `administrator`, and
`write_role_mapping` makes the file that sets this right. Version 1.2 says `siteAdministrator` and
`systemAdministrator`.
"""

import csv
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Literal, Protocol, TextIO

from firstbell.rehearsal.world.model import PRIMARY, Person, Role, School, stable_id
from firstbell.rehearsal.world.subjects import SUBJECTS, Subject

Version = Literal["1.1", "1.2"]
Row = tuple[str | int, ...]

ORGS = ("sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId")
ACADEMIC_SESSIONS = (
    "sourcedId", "status", "dateLastModified", "title", "type", "startDate", "endDate", "parentSourcedId",
    "schoolYear",
)  # fmt: skip
COURSES = (
    "sourcedId", "status", "dateLastModified", "schoolYearSourcedId", "title", "courseCode", "grades",
    "orgSourcedId", "subjects", "subjectCodes",
)  # fmt: skip
CLASSES = (
    "sourcedId", "status", "dateLastModified", "title", "grades", "courseSourcedId", "classCode", "classType",
    "location", "schoolSourcedId", "termSourcedIds", "subjects", "subjectCodes", "periods",
)  # fmt: skip
USERS = {
    "1.1": (
        "sourcedId", "status", "dateLastModified", "enabledUser", "orgSourcedIds", "role", "username",
        "userIds", "givenName", "familyName", "middleName", "identifier", "email", "sms", "phone",
        "agentSourcedIds", "grades", "password",
    ),
    "1.2": (
        "sourcedId", "status", "dateLastModified", "enabledUser", "username", "userIds", "givenName",
        "familyName", "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades",
        "password", "userMasterIdentifier", "resourceSourcedIds", "preferredGivenName", "preferredMiddleName",
        "preferredFamilyName", "primaryOrgSourcedId", "pronouns",
    ),
}  # fmt: skip
ROLES = (
    "sourcedId", "status", "dateLastModified", "userSourcedId", "roleType", "role", "beginDate", "endDate",
    "orgSourcedId", "userProfileSourcedId",
)  # fmt: skip
USER_PROFILES = (
    "sourcedId", "status", "dateLastModified", "userSourcedId", "profileType", "vendorId", "applicationId",
    "description", "credentialType", "username", "password",
)  # fmt: skip
ENROLLMENTS = (
    "sourcedId", "status", "dateLastModified", "classSourcedId", "schoolSourcedId", "userSourcedId", "role",
    "primary", "beginDate", "endDate",
)  # fmt: skip
DEMOGRAPHICS = (
    "sourcedId", "status", "dateLastModified", "birthDate", "sex", "americanIndianOrAlaskaNative", "asian",
    "blackOrAfricanAmerican", "nativeHawaiianOrOtherPacificIslander", "white",
    "demographicRaceTwoOrMoreRaces", "hispanicOrLatinoEthnicity", "countryOfBirthCode",
    "stateOfBirthAbbreviation", "cityOfBirth", "publicSchoolResidenceStatus",
)  # fmt: skip
MANIFEST = ("propertyName", "value")
FILES = {
    "1.1": (
        "academicSessions", "categories", "classes", "classResources", "courses", "courseResources",
        "demographics", "enrollments", "lineItems", "orgs", "resources", "results", "users",
    ),
    "1.2": (
        "academicSessions", "categories", "classes", "classResources", "courses", "courseResources",
        "demographics", "enrollments", "lineItemLearningObjectiveIds", "lineItems", "lineItemScoreScales",
        "orgs", "resources", "resultLearningObjectiveIds", "results", "resultScoreScales", "roles",
        "scoreScales", "userProfiles", "userResources", "users",
    ),
}  # fmt: skip

ROLES_1_1 = {
    Role.PUPIL: "student", Role.TEACHER: "teacher", Role.PARENT: "parent", Role.GUARDIAN: "guardian",
    Role.HEAD: "administrator", Role.SECRETARIAT: "aide", Role.ICT: "administrator",
}  # fmt: skip
ROLES_1_2 = ROLES_1_1 | {
    Role.HEAD: "principal",
    Role.SECRETARIAT: "siteAdministrator",
    Role.ICT: "systemAdministrator",
}
MAPPED_ROLES = (Role.HEAD, Role.SECRETARIAT, Role.ICT)
SECONDARY_GRADE_OFFSET = 6  # the specification counts on: the first year of secondary school is 07
BULK, ABSENT = "bulk", "absent"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows: archives must not differ by the clock


def write_oneroster(school: School, target: Path, version: Version = "1.1") -> None:
    """Write the roster into a zip archive when `target` ends in .zip, else as files into that folder."""
    tables = dict(_tables(school, version))
    with _open_target(target) as sink:
        sink.write("manifest", MANIFEST, _manifest(tables, version, school))
        for name, (columns, rows) in tables.items():
            sink.write(name, columns, rows)


def write_role_mapping(school: School, path: Path) -> None:
    """Write the roles that version 1.1 has no word for: `{"roles": {user sourcedId: role}}` in JSON.

    The roles are `head`, `secretariat` and `ict`.
    """
    roles = {person.id: person.role.value for person in school.staff if person.role in MAPPED_ROLES}
    path.write_text(json.dumps({"roles": roles}, indent=2) + "\n", encoding="utf-8")


def _tables(school: School, version: Version) -> Iterator[tuple[str, tuple[tuple[str, ...], Iterable[Row]]]]:
    yield "orgs", (ORGS, _orgs(school))
    yield "academicSessions", (ACADEMIC_SESSIONS, _academic_sessions(school))
    yield "courses", (COURSES, _courses(school))
    yield "classes", (CLASSES, chain(_homerooms(school), _scheduled(school)))
    yield "users", (USERS[version], _users_1_1(school) if version == "1.1" else _users_1_2(school))
    if version == "1.2":
        yield "roles", (ROLES, _roles(school))
        yield "userProfiles", (USER_PROFILES, _user_profiles(school))
    yield "enrollments", (ENROLLMENTS, _enrollments(school))
    yield "demographics", (DEMOGRAPHICS, _demographics(school))


def _manifest(tables: Iterable[str], version: Version, school: School) -> Iterator[Row]:
    present = set(tables)
    yield "manifest.version", "1.0"
    yield "oneroster.version", version
    for name in FILES[version]:
        yield f"file.{name}", BULK if name in present else ABSENT
    yield "source.systemName", "Firstbell world"
    yield "source.systemCode", school.slug


def _orgs(school: School) -> Iterator[Row]:
    yield school.id, "", "", school.name, "school", school.slug, ""


def _academic_sessions(school: School) -> Iterator[Row]:
    """The specification excludes the end date itself: a school year ends on 1 September."""
    year = school.year
    start, end = year.first_day.isoformat(), year.first_day.replace(year=year.last_day.year).isoformat()
    yield _session_id(school), "", "", year.name, "schoolYear", start, end, "", year.last_day.year


def _courses(school: School) -> Iterator[Row]:
    session, years = _session_id(school), sorted({group.year for group in school.classes})
    for year in years:
        grade = _grade(school, year)
        yield (
            _homeroom_course_id(school, year),
            "",
            "",
            session,
            f"Klas {year}",
            f"KLAS-{year}",
            grade,
            school.id,
            "",
            "",
        )
        for subject in SUBJECTS[school.level]:
            if year in subject.hours:
                yield (
                    _course_id(school, subject, year), "", "", session, subject.title,
                    f"{subject.code}-{year}", grade, school.id, subject.title, subject.code,
                )  # fmt: skip


def _homerooms(school: School) -> Iterator[Row]:
    session = _session_id(school)
    for group in school.classes:
        yield (
            group.id, "", "", group.name, _grade(school, group.year), _homeroom_course_id(school, group.year),
            group.name, "homeroom", group.room, school.id, session, "", "", "",
        )  # fmt: skip


def _scheduled(school: School) -> Iterator[Row]:
    session = _session_id(school)
    subjects = {subject.key: subject for subject in SUBJECTS[school.level]}
    for course in school.courses:
        subject = subjects[course.subject]
        yield (
            course.id, "", "", f"{course.title} {course.group}", _grade(school, course.year),
            _course_id(school, subject, course.year), course.code, "scheduled", "", school.id, session,
            subject.title, subject.code, "",
        )  # fmt: skip


def _users_1_1(school: School) -> Iterator[Row]:
    grades = _grades_of_pupils(school)
    for person in school.people:
        yield (
            person.id, "", "", "true", school.id, ROLES_1_1[person.role], person.sign_in_name, "",
            person.given_name, person.family_name, "", "", school.email(person), "", "",
            ",".join(person.relatives), grades.get(person.id, ""), "",
        )  # fmt: skip


def _users_1_2(school: School) -> Iterator[Row]:
    grades = _grades_of_pupils(school)
    for person in school.people:
        yield (
            person.id, "", "", "true", person.sign_in_name, "", person.given_name, person.family_name, "",
            "", school.email(person), "", "", ",".join(person.relatives),
            grades.get(person.id, ""), "", "", "", "", "", "", school.id, "",
        )  # fmt: skip


def _roles(school: School) -> Iterator[Row]:
    for person in school.people:
        yield (
            stable_id(person.id, "role"), "", "", person.id, "primary", ROLES_1_2[person.role], "", "",
            school.id, _profile_id(person),
        )  # fmt: skip


def _user_profiles(school: School) -> Iterator[Row]:
    for person in school.people:
        yield (
            _profile_id(person), "", "", person.id, "LMS", "firstbell", school.slug, "", "username",
            person.sign_in_name, "",
        )  # fmt: skip


def _enrollments(school: School) -> Iterator[Row]:
    for group in school.classes:
        yield _enrollment(school, group.id, group.homeroom_teacher_id, "teacher", "true")
        for pupil_id in group.pupil_ids:
            yield _enrollment(school, group.id, pupil_id, "student", "false")
    for course in school.courses:
        for number, teacher_id in enumerate(course.teacher_ids):
            yield _enrollment(school, course.id, teacher_id, "teacher", "false" if number else "true")
        for pupil_id in course.pupil_ids:
            yield _enrollment(school, course.id, pupil_id, "student", "false")


def _enrollment(school: School, class_id: str, user_id: str, role: str, primary: str) -> Row:
    return stable_id(class_id, user_id), "", "", class_id, school.id, user_id, role, primary, "", ""


def _demographics(school: School) -> Iterator[Row]:
    """What a Flemish school passes on: birth date and sex. Origin is nobody's business."""
    nothing = ("",) * (len(DEMOGRAPHICS) - 5)
    for pupil in school.pupils:
        yield pupil.id, "", "", str(pupil.birth_date), pupil.sex, *nothing


def _grades_of_pupils(school: School) -> dict[str, str]:
    return {pupil_id: _grade(school, group.year) for group in school.classes for pupil_id in group.pupil_ids}


def _grade(school: School, year: int) -> str:
    return f"{year if school.level == PRIMARY else year + SECONDARY_GRADE_OFFSET:02}"


def _session_id(school: School) -> str:
    return stable_id(school.id, school.year.name)


def _homeroom_course_id(school: School, year: int) -> str:
    return stable_id(school.id, "homeroom", year)


def _course_id(school: School, subject: Subject, year: int) -> str:
    return stable_id(school.id, "subject", subject.key, year)


def _profile_id(person: Person) -> str:
    return stable_id(person.id, "profile")


class _Sink(Protocol):
    def write(self, name: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None: ...


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
        with (self._folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as text:
            _write_rows(text, columns, rows)


class _Archive:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def write(self, name: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
        entry = zipfile.ZipInfo(f"{name}.csv", ZIP_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(entry, "w") as stream, TextIOWrapper(stream, "utf-8", newline="") as text:
            _write_rows(text, columns, rows)


def _write_rows(text: TextIO, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)


@contextmanager
def _open_target(target: Path) -> Iterator[_Sink]:
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w") as archive:
            yield _Archive(archive)
    else:
        target.mkdir(parents=True, exist_ok=True)
        yield _Folder(target)
