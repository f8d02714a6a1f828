"""Two schools, people made where a test wants them, browsers, and workers beside the first one."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import httpx
import nats
import pytest

from firstbell.kernel.changes import SUBJECT
from firstbell.kernel.engines import free_port
from firstbell.kernel.passwords import hash_password
from tests.conftest import Installation, serving, wait_until

PASSWORD = "herfstblad-op-de-fiets"
WILGE, BERK = "wilge.test", "berk.test"
LATER = timedelta(minutes=12)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"


@dataclass(frozen=True)
class Somebody:
    """An invented person: the sign-in name is `name`, the password `PASSWORD`."""

    school_id: UUID
    id: UUID
    account_id: UUID
    name: str


class People:
    """De Wilge and De Berk, and whoever a test adds to them."""

    def __init__(self, installation: Installation) -> None:
        self.sql, self.run = installation.sql, installation.run
        self._nats_url = installation.environment()["FIRSTBELL_NATS_URL"]
        self._hash = hash_password(PASSWORD)
        self._numbers = count(1)
        self.schools = {host: self._school(host) for host in (WILGE, BERK)}

    def _school(self, host: str) -> UUID:
        school_id, slug = uuid4(), host.partition(".")[0]
        self.sql("INSERT INTO school (id, slug, name) VALUES ($1, $2, $3)", school_id, slug, f"De {slug.title()}")
        self.sql("INSERT INTO school_host (host, school_id) VALUES ($1, $2)", host, school_id)
        self.change(school_id, "school", school_id)
        return school_id

    def add(self, given: str, *roles: str, host: str = WILGE, family: str = "Maes") -> Somebody:
        """A new person with an account of their own."""
        school_id, account_id, person_id = self.schools[host], uuid4(), uuid4()
        name = f"{given}.{family}.{next(self._numbers)}".lower()
        self.sql("INSERT INTO account (id, password_hash) VALUES ($1, $2)", account_id, self._hash)
        self.sql(
            "INSERT INTO person (school_id, id, account_id, sign_in_name, given_name, family_name, roles) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            school_id, person_id, account_id, name, given, family, list(roles),
        )  # fmt: skip
        return Somebody(school_id, person_id, account_id, name)

    def add_class(self, class_name: str, **members: Somebody) -> UUID:
        """A class of De Wilge; `members` are `pupil` or `teacher`."""
        year_id, class_id, school_id = uuid4(), uuid4(), self.schools[WILGE]
        self.sql(
            "INSERT INTO school_year (school_id, id, source_id, name, starts_on, ends_on) "
            "VALUES ($1, $2, $3, '2026-2027', '2026-09-01', '2027-08-31')",
            school_id, year_id, str(year_id),
        )  # fmt: skip
        self.sql(
            "INSERT INTO class (school_id, id, school_year_id, source_id, name) VALUES ($1, $2, $3, $4, $5)",
            school_id, class_id, year_id, str(class_id), class_name,
        )  # fmt: skip
        for role, member in members.items():
            self.sql(
                "INSERT INTO class_member (school_id, class_id, person_id, role) VALUES ($1, $2, $3, $4)",
                school_id, class_id, member.id, role,
            )  # fmt: skip
            if role == "pupil":
                self.sql("UPDATE person SET class_name = $2 WHERE id = $1", member.id, class_name)
        return class_id

    def parent_of(self, parent: Somebody, child: Somebody) -> None:
        """Put a child in the care of a parent."""
        self.sql(
            "INSERT INTO guardianship (school_id, parent_id, child_id) VALUES ($1, $2, $3)",
            parent.school_id, parent.id, child.id,
        )  # fmt: skip

    def change(self, school_id: UUID, kind: str, subject_id: UUID) -> None:
        """Tell the workers of a change, as an import does."""
        self.sql("INSERT INTO change (school_id, kind, subject_id) VALUES ($1, $2, $3)", school_id, kind, subject_id)
        asyncio.run(self._hint())

    async def _hint(self) -> None:
        client = await nats.connect(self._nats_url)
        await client.publish(SUBJECT)
        await client.drain()

    def value(self, statement: str, *parameters: object) -> object:
        """The first value that the database answers."""
        return self.sql(statement, *parameters)[0][0]


@pytest.fixture(scope="session")
def people(installation: Installation) -> People:
    return People(installation)


@contextmanager
def worker(installation: Installation, **settings: str) -> Iterator[str]:
    """Another `firstbell serve` on the same installation; its address."""
    clock = {"clock": ""}  # the real one, so that all agree on how old a token is
    with serving(installation, **{**clock, **settings}) as address:
        wait_until(lambda: httpx.get(f"{address}/sign-in", headers={"host": WILGE}, timeout=30).status_code == 200)
        yield address


@pytest.fixture(scope="session")
def server(installation: Installation, people: People) -> Iterator[str]:
    """The worker that the browsers of these tests ask."""
    del people
    with worker(installation) as address:
        yield address


@pytest.fixture(scope="session")
def second_server(installation: Installation, people: People) -> Iterator[str]:
    """A worker like the first one, which hears of changes by the bus alone: it does not look for them meanwhile."""
    del people
    with worker(installation, changes_poll_seconds="600", changes_old_seconds="3600") as address:
        yield address


@pytest.fixture(scope="session")
def deaf_server(installation: Installation, people: People) -> Iterator[str]:
    """A worker that NATS does not reach, behind TLS, with room for one hash at a time and one that waits."""
    del people
    nowhere = f"nats://127.0.0.1:{free_port()}"
    with worker(installation, nats_url=nowhere, public_scheme="https", sign_in_queue_max="1") as address:
        yield address


@pytest.fixture(scope="session")
def later_server(installation: Installation, people: People) -> Iterator[str]:
    """A worker for which it is 12 minutes later, and whose tail is always too old."""
    del people
    clock = (datetime.now(UTC) + LATER).isoformat()
    with worker(installation, clock=clock, changes_old_seconds="0") as address:
        yield address


Browser = Callable[..., httpx.Client]


@pytest.fixture
def browser(server: str, people: People) -> Iterator[Browser]:
    """Make a browser with no cookies; `browser(Somebody)` has signed in."""
    with ExitStack() as open_browsers:

        def make(somebody: Somebody | None = None, *, at: str = server, host: str = "") -> httpx.Client:
            hosts = {school_id: host for host, school_id in people.schools.items()}
            host = host or (hosts[somebody.school_id] if somebody else WILGE)
            headers = {"host": host, "accept": "text/html", "user-agent": FIREFOX}
            client = open_browsers.enter_context(httpx.Client(base_url=at, headers=headers, timeout=30))
            if somebody:
                assert sign_in(client, somebody.name).status_code == 303
            return client

        yield make


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    """Send the sign-in form."""
    return client.post("/sign-in", data={"name": name, "password": password, **fields})


def is_signed_in(client: httpx.Client) -> bool:
    """True when the account page opens."""
    return client.get("/account").status_code == 200


def carry(client: httpx.Client, *names: str, to: httpx.Client) -> None:
    """Give another browser these cookies, as somebody who copied them would."""
    for name in names:
        to.cookies.set(name, client.cookies[name])


def only_refresh(client: httpx.Client) -> str:
    """Forget the access cookie, as a browser does after ten minutes; the refresh token."""
    client.cookies.delete("access")
    return client.cookies["refresh"]
