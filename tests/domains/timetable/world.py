"""De Linde with two classes and De Esdoorn, where the same mother has another child; a Monday morning at nine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from firstbell.kernel.passwords import hash_password
from tests.conftest import Done, Installation, serving

PASSWORD = "kastanjes-in-de-mist"
LINDE, ESDOORN = "linde.test", "esdoorn.test"
MONDAY_AT_NINE = "2026-11-23T09:00:00+01:00"


@dataclass(frozen=True)
class World:
    """Ids of the invented schools, people and courses, by name."""

    installation: Installation
    schools: dict[str, UUID]
    people: dict[str, UUID]
    classes: dict[str, UUID]
    courses: dict[str, UUID]
    folder: Path

    def sql(self, statement: str, *parameters: object) -> list[dict[str, object]]:
        """Ask as the owner of the tables."""
        return [dict(row) for row in self.installation.sql(statement, *parameters)]

    def lessons(
        self, columns: str = "date::text, starts_at::text, room", school: str = LINDE
    ) -> list[tuple[object, ...]]:
        """The lessons of a school in order."""
        rows = self.sql(
            f"SELECT {columns} FROM lesson WHERE school_id = $1 ORDER BY date, starts_at, source_id",
            self.schools[school],
        )
        return [tuple(row.values()) for row in rows]

    def import_file(self, text: str | bytes, *options: str, name: str = "lessons.csv", school: str = LINDE) -> Done:
        """Give `firstbell timetable import` a file with this text."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        slug = school.partition(".")[0]
        options = ("--school", slug, *options)
        return self.installation.run("timetable", "import", str(path), *options, clock=MONDAY_AT_NINE)

    def forget_lessons(self) -> None:
        """Take every lesson and document away, so that each test begins with none."""
        for table in ("lesson_document", "lesson_teacher", "lesson", "document", "blob"):
            self.sql(f"DELETE FROM {table} WHERE school_id = ANY ($1)", list(self.schools.values()))

    def add_document(self, course: str, name: str, *, added_at: str = "2026-11-20T16:00:00Z") -> UUID:
        """A document in the folder of a course."""
        document, digest = uuid4(), uuid4().bytes * 2
        [course_row] = self.sql("SELECT school_id, folder_id FROM course WHERE id = $1", self.courses[course])
        self.sql("INSERT INTO blob VALUES ($1, $2, 10, now())", course_row["school_id"], digest)
        self.sql(
            "INSERT INTO document (school_id, id, root_id, folder_id, name, media_type, sha256, size_bytes, added_at) "
            "VALUES ($1, $2, $3, $3, $4, 'application/pdf', $5, 10, $6::text::timestamptz)",
            course_row["school_id"], document, course_row["folder_id"], name, digest, added_at,
        )  # fmt: skip
        return document


class _Builder:
    def __init__(self, installation: Installation) -> None:
        self.sql = installation.sql
        self.hashed = hash_password(PASSWORD)
        self.schools: dict[str, UUID] = {}
        self.years: dict[UUID, UUID] = {}
        self.people: dict[str, UUID] = {}
        self.classes: dict[str, UUID] = {}
        self.courses: dict[str, UUID] = {}
        self.accounts: dict[str, UUID] = {}

    def school(self, host: str, name: str) -> None:
        school = self.schools[host] = uuid4()
        self.sql("INSERT INTO school (id, slug, name) VALUES ($1, $2, $3)", school, host.partition(".")[0], name)
        self.sql("INSERT INTO school_host (host, school_id) VALUES ($1, $2)", host, school)
        self.years[school] = uuid4()
        self.sql(
            "INSERT INTO school_year VALUES ($1, $2, '2026', '2026-2027', '2026-09-01', '2027-06-30')",
            school,
            self.years[school],
        )

    def person(self, host: str, name: str, *roles: str, account: str = "") -> UUID:
        given, _, family = name.partition(" ")
        known = self.accounts.get(account or name)
        if known is None:
            known = self.accounts[account or name] = uuid4()
            self.sql("INSERT INTO account (id, password_hash) VALUES ($1, $2)", known, self.hashed)
        person = uuid4()
        sign_in_name = name.lower().replace(" ", ".")
        email = f"{sign_in_name}@{host.partition('.')[0]}.example"
        self.sql(
            "INSERT INTO person (school_id, id, account_id, sign_in_name, given_name, family_name, email, roles) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            self.schools[host], person, known, sign_in_name, given, family, email, list(roles),
        )  # fmt: skip
        self.people[name if host == LINDE else f"{name} ({host})"] = person
        return person

    def school_class(self, host: str, name: str, *pupils: UUID) -> None:
        school, made = self.schools[host], uuid4()
        self.sql(
            "INSERT INTO class (school_id, id, school_year_id, source_id, name) VALUES ($1, $2, $3, $4, $4)",
            school, made, self.years[school], name,
        )  # fmt: skip
        for pupil in pupils:
            self.sql("INSERT INTO class_member VALUES ($1, $2, $3, 'pupil')", school, made, pupil)
            self.sql("UPDATE person SET class_name = $2 WHERE id = $1", pupil, name)
        self.classes[name] = made

    def course(
        self, host: str, code: str, title: str, audience: str, *, teachers: list[UUID], pupils: list[UUID]
    ) -> None:
        school, made, folder = self.schools[host], uuid4(), uuid4()
        self.sql(
            "INSERT INTO folder (school_id, id, root_id, name, created_at) VALUES ($1, $2, $2, $3, now())",
            school, folder, title,
        )  # fmt: skip
        self.sql(
            "INSERT INTO course (school_id, id, school_year_id, class_id, folder_id, source_id, title, audience) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            school, made, self.years[school], self.classes.get(audience), folder, code, title, audience,
        )  # fmt: skip
        for role, people in (("teacher", teachers), ("pupil", pupils)):
            for person in people:
                self.sql("INSERT INTO enrolment VALUES ($1, $2, $3, $4)", school, made, person, role)
        self.courses[code] = made


@pytest.fixture(scope="session")
def world(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The schools and their people, without a lesson."""
    build = _Builder(installation)
    build.school(LINDE, "De Linde")
    build.school(ESDOORN, "De Esdoorn")
    an = build.person(LINDE, "An Peeters", "teacher")
    luc = build.person(LINDE, "Luc Dubois", "teacher")
    noor = build.person(LINDE, "Noor Vermeulen", "pupil")
    ilyas = build.person(LINDE, "Ilyas Amrani", "pupil")
    sofie = build.person(LINDE, "Sofie Claes", "parent")
    build.person(LINDE, "Greet Maes", "head")
    build.person(LINDE, "Kobe Wouters", "ict")
    build.person(LINDE, "Mia Jacobs", "secretariat")
    build.person(LINDE, "Jan Vermeulen", "parent")
    build.person(ESDOORN, "Sofie Claes", "parent", account="Sofie Claes")
    wout = build.person(ESDOORN, "Wout Vermeulen", "pupil")
    els = build.person(ESDOORN, "Els Hendrickx", "teacher")
    build.school_class(LINDE, "3A", ilyas)
    build.school_class(LINDE, "3B", noor)
    build.school_class(ESDOORN, "1C", wout)
    build.course(LINDE, "WIS-3B", "Wiskunde", "3B", teachers=[an], pupils=[noor])
    build.course(LINDE, "WIS-3A", "Wiskunde", "3A", teachers=[an], pupils=[ilyas])
    build.course(LINDE, "FRA-3AB", "Frans", "3A + 3B", teachers=[luc], pupils=[noor, ilyas])
    build.course(ESDOORN, "WO-1C", "Wereldoriëntatie", "1C", teachers=[els], pupils=[wout])
    for host, child in ((LINDE, noor), (ESDOORN, wout)):
        parent = sofie if host == LINDE else build.people[f"Sofie Claes ({ESDOORN})"]
        installation.sql("INSERT INTO guardianship VALUES ($1, $2, $3)", build.schools[host], parent, child)
    return World(
        installation, build.schools, build.people, build.classes, build.courses, tmp_path_factory.mktemp("timetables")
    )


Browser = Callable[..., httpx.Client]


@pytest.fixture(scope="session")
def morning(installation: Installation, world: World) -> Iterator[str]:
    """A server on which it is Monday at nine and that keeps nothing for others: tests arrange rows behind its back."""
    del world
    with serving(installation, clock=MONDAY_AT_NINE, shared_seconds="0") as address:
        yield address


@contextmanager
def signed_in(address: str, name: str, host: str = LINDE) -> Iterator[httpx.Client]:
    """A browser in which somebody is signed in."""
    headers = {"host": host, "accept": "text/html", "accept-language": "nl"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
        answer = client.post("/sign-in", data={"name": name.lower().replace(" ", "."), "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


@pytest.fixture
def browser(morning: str) -> Iterator[Browser]:
    """Sign somebody in at their school and give their browser."""
    with ExitStack() as open_browsers:

        def make(name: str, host: str = LINDE) -> httpx.Client:
            return open_browsers.enter_context(signed_in(morning, name, host))

        yield make
