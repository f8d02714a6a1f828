"""A school with two courses and those who have to do with them, and browsers of its people."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx
import pytest

from firstbell.kernel.passwords import hash_password
from tests.conftest import Town, wait_until
from tests.domains.timetable.world import browser, morning, world

__all__ = ["browser", "morning", "world"]

PASSWORD = "kastanje-in-de-regen"
PLATAAN, HAZELAAR = "plataan.localhost", "hazelaar.localhost"


@dataclass(frozen=True)
class Course:
    """A course and its top folder."""

    id: UUID
    folder_id: UUID

    @property
    def href(self) -> str:
        return f"/courses/{self.id}"


@dataclass
class Plataan:
    """De Plataan: ids of its people by their first names, and of its courses by their titles."""

    id: UUID
    other_id: UUID
    people: dict[str, UUID] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)


@pytest.fixture(scope="session")
def plataan(town: Town) -> Plataan:
    """Mathematics for 3B by Tariq, biology for 3A by Els, and next door De Hazelaar, with another child.

    Beside the town, which fills an empty installation and so comes first.
    """
    made = Plataan(uuid4(), uuid4())
    hashed, sql = hash_password(PASSWORD), town.installation.sql
    for school, host in ((made.id, PLATAAN), (made.other_id, HAZELAAR)):
        slug = host.partition(".")[0]
        sql("INSERT INTO school (id, slug, name) VALUES ($1, $2, $3)", school, slug, f"De {slug.title()}")
        sql("INSERT INTO school_host (host, school_id) VALUES ($1, $2)", host, school)
    accounts: dict[str, UUID] = {}

    def person(school: UUID, given: str, family: str, *roles: str) -> UUID:
        if given not in accounts:
            accounts[given] = uuid4()
            sql("INSERT INTO account (id, password_hash) VALUES ($1, $2)", accounts[given], hashed)
        made.people[given] = found = uuid4()
        sql(
            "INSERT INTO person (school_id, id, account_id, sign_in_name, given_name, family_name, roles) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            school, found, accounts[given], given.lower(), given, family, list(roles),
        )  # fmt: skip
        return found

    def course(school: UUID, title: str, audience: str, **members: str) -> None:
        year, folder, found = uuid4(), uuid4(), uuid4()
        sql(
            "INSERT INTO school_year (school_id, id, source_id, name, starts_on, ends_on) "
            "VALUES ($1, $2, $3, '2026-2027', '2026-09-01', '2027-08-31')",
            school, year, title,
        )  # fmt: skip
        sql(
            "INSERT INTO folder (school_id, id, root_id, name, created_at) VALUES ($1, $2, $2, $3, now())",
            school, folder, title,
        )  # fmt: skip
        sql(
            "INSERT INTO course (school_id, id, school_year_id, folder_id, source_id, title, audience) "
            "VALUES ($1, $2, $3, $4, $5, $5, $6)",
            school, found, year, folder, title, audience,
        )  # fmt: skip
        for given, role in members.items():
            sql(
                "INSERT INTO enrolment (school_id, course_id, person_id, role) VALUES ($1, $2, $3, $4)",
                school, found, made.people[given], role,
            )  # fmt: skip
        made.courses[title] = Course(found, folder)

    def care(school: UUID, parent: UUID, child: UUID) -> None:
        sql("INSERT INTO guardianship (school_id, parent_id, child_id) VALUES ($1, $2, $3)", school, parent, child)

    noor = person(made.id, "Noor", "Vermeulen", "pupil")
    person(made.id, "Amir", "Haddad", "pupil")
    person(made.id, "Tariq", "Benali", "teacher")
    person(made.id, "Els", "Peeters", "teacher")
    person(made.id, "Greet", "Claes", "secretariat")
    care(made.id, person(made.id, "Bart", "Vermeulen", "parent"), noor)
    course(made.id, "Wiskunde", "3B", Noor="pupil", Tariq="teacher")
    course(made.id, "Biologie", "3A", Amir="pupil", Els="teacher")
    wout = person(made.other_id, "Wout", "Vermeulen", "pupil")
    care(made.other_id, person(made.other_id, "Bart", "Vermeulen", "parent"), wout)
    person(made.other_id, "Joke", "Smets", "head", "teacher")
    course(made.other_id, "Muziek", "1C", Wout="pupil", Joke="teacher")
    for school in (made.id, made.other_id):
        sql("INSERT INTO change (school_id, kind, subject_id) VALUES ($1, 'school', $1)", school)
    return made


SignedIn = Callable[..., httpx.Client]


@pytest.fixture
def signed_in(server: str, plataan: Plataan) -> Iterator[SignedIn]:
    """A browser in which somebody signed in: `signed_in("Noor")`, on another server with `address`."""
    del plataan
    with ExitStack() as open_browsers:

        def make(name: str, host: str = PLATAAN, address: str = server) -> httpx.Client:
            client = httpx.Client(base_url=address, headers={"host": host, "accept": "text/html"}, timeout=30)
            open_browsers.enter_context(client)
            wait_until(lambda: client.get("/sign-in").status_code == 200)
            answer = client.post("/sign-in", data={"name": name.lower(), "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            return client

        yield make
