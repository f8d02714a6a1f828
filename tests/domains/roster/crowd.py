"""A roster of any size, written row by row: for what must hold when a whole city comes at once."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.domains.roster.conftest import COLUMNS

PUPILS_A_CLASS = 25
COURSES_A_CLASS = 11
PUPILS_A_TEACHER = 10
SCHOOL, YEAR = "stad", "2026"


def write_crowd(folder: Path, people: int) -> Path:
    """`people` persons: of every 24 ten pupils, 13 parents and a teacher; each pupil in a class and its 11 courses."""
    folder.mkdir(parents=True, exist_ok=True)
    pupils = people * 10 // 24
    teachers = pupils // PUPILS_A_TEACHER
    parents = people - pupils - teachers
    classes = -(-pupils // PUPILS_A_CLASS)
    _write(folder, "orgs", [(SCHOOL, "", "", "De Stad", "school", "", "")])
    _write(folder, "academicSessions", [(YEAR, "", "", "2026", "schoolYear", "2026-09-01", "2027-09-01", "", "2027")])
    _write(folder, "users", _users(pupils, parents, teachers))
    _write(folder, "roles", _roles(pupils, parents, teachers))
    _write(folder, "courses", ((f"s{n}", "", "", YEAR, f"Vak {n}", "", "", SCHOOL) for n in range(COURSES_A_CLASS)))
    _write(folder, "classes", _classes(classes))
    _write(folder, "enrollments", _enrolments(pupils, classes, teachers))
    _write(folder, "demographics", ((f"p{n}", "", "", "2012-05-04", "") for n in range(pupils)))
    _write(folder, "userProfiles", [])
    files = "".join(f"file.{name},bulk\n" for name in COLUMNS)
    (folder / "manifest.csv").write_text(f"propertyName,value\noneroster.version,1.2\n{files}")
    return folder


def _write(folder: Path, name: str, rows: Iterable[tuple[str, ...]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS[name].split(","))
        writer.writerows(rows)


def _users(pupils: int, parents: int, teachers: int) -> Iterator[tuple[str, ...]]:
    for n in range(pupils):
        agents = ",".join(f"g{parent}" for parent in range(n, parents, pupils))
        yield _user(f"p{n}", "Noor", f"Vermeulen{n}", agents)
    for n in range(parents):
        yield _user(f"g{n}", "Hilde", f"Smets{n}", f"p{n % pupils}")
    for n in range(teachers):
        yield _user(f"t{n}", "Tariq", f"Benali{n}", "")


def _user(source_id: str, given: str, family: str, agents: str) -> tuple[str, ...]:
    sign_in_name = f"{given}.{family}".lower()
    email = f"{sign_in_name}@stad.example"
    return (
        source_id, "", "", "true", sign_in_name, "", given, family, "", "", email, "", "", agents, "", "", "",
    )  # fmt: skip


def _roles(pupils: int, parents: int, teachers: int) -> Iterator[tuple[str, ...]]:
    for letter, number, role in (("p", pupils, "student"), ("g", parents, "parent"), ("t", teachers, "teacher")):
        for n in range(number):
            yield f"r{letter}{n}", "", "", f"{letter}{n}", "primary", role, "", "", SCHOOL, ""


def _classes(classes: int) -> Iterator[tuple[str, ...]]:
    for n in range(classes):
        yield f"c{n}", "", "", f"K{n}", "", "", "", "homeroom", "", SCHOOL, YEAR, ""
        for m in range(COURSES_A_CLASS):
            yield f"c{n}-{m}", "", "", f"Vak {m} K{n}", "", f"s{m}", "", "scheduled", "", SCHOOL, YEAR, ""


def _enrolments(pupils: int, classes: int, teachers: int) -> Iterator[tuple[str, ...]]:
    for n in range(pupils):
        own = n // PUPILS_A_CLASS
        yield f"e{n}", "", "", f"c{own}", SCHOOL, f"p{n}", "student", "", "", ""
        for m in range(COURSES_A_CLASS):
            yield f"e{n}-{m}", "", "", f"c{own}-{m}", SCHOOL, f"p{n}", "student", "", "", ""
    for n in range(classes):
        for m in range(COURSES_A_CLASS):
            teacher = f"t{(n * COURSES_A_CLASS + m) % teachers}"
            yield f"f{n}-{m}", "", "", f"c{n}-{m}", SCHOOL, teacher, "teacher", "", "", ""
