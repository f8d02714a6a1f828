"""Two schools with a handful of people, and browsers that visit them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest

from firstbell.kernel.passwords import hash_password
from tests.conftest import Installation

PASSWORD = "herfstblad-op-de-fiets"
WILGE, BERK = "wilge.test", "berk.test"


@dataclass(frozen=True)
class People:
    """Ids of the invented people, by their first names."""

    wilge: UUID
    berk: UUID
    ids: dict[str, UUID]


@pytest.fixture(scope="session")
def people(installation: Installation) -> People:
    """De Wilge with a class 3B, and De Berk, where the same mother has another child."""
    hashed = hash_password(PASSWORD)
    sql = installation.sql
    schools = {}
    for host, name in ((WILGE, "De Wilge"), (BERK, "De Berk")):
        schools[host] = uuid4()
        sql("INSERT INTO school (id, slug, name) VALUES ($1, $2, $3)", schools[host], host.partition(".")[0], name)
        sql("INSERT INTO school_host (host, school_id) VALUES ($1, $2)", host, schools[host])
    ids: dict[str, UUID] = {}

    def add(host: str, given: str, family: str, *roles: str) -> None:
        account, person = uuid4(), uuid4()
        sql("INSERT INTO account (id, password_hash) VALUES ($1, $2)", account, hashed)
        sql(
            "INSERT INTO person (school_id, id, account_id, sign_in_name, given_name, family_name) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            schools[host], person, account, f"{given}.{family}".lower().replace(" ", ""), given, family,
        )  # fmt: skip
        for role in roles:
            sql("INSERT INTO person_role (school_id, person_id, role) VALUES ($1, $2, $3)", schools[host], person, role)
        ids[given] = person

    add(WILGE, "Noor", "Vermeulen", "pupil")
    add(WILGE, "Tariq", "Benali", "teacher")
    add(WILGE, "Hilde", "Maes", "parent")
    add(WILGE, "Greet", "Claes", "secretariat")
    add(BERK, "Wout", "Maes", "pupil")
    return People(schools[WILGE], schools[BERK], ids)


Browser = Callable[..., httpx.Client]


@pytest.fixture
def browser(server: str, people: People) -> Iterator[Browser]:
    """Make a browser of its own on the host of a school; `cookies` are those it has already."""
    del people
    with ExitStack() as open_browsers:

        def make(host: str = WILGE, accept: str = "text/html") -> httpx.Client:
            client = httpx.Client(base_url=server, headers={"host": host, "accept": accept})
            return open_browsers.enter_context(client)

        yield make


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    """Send the sign-in form."""
    return client.post("/sign-in", data={"name": name, "password": password, **fields})
