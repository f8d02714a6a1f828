"""One installation for the whole run: the real engines, migrated, served by Granian."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
import httpx
import pytest

from firstbell.cli import main
from firstbell.cli.demo_school import PASSWORD, SEED
from firstbell.kernel.engines import Addresses, Engines, free_port
from firstbell.kernel.migrations import ensure_database, migrate
from firstbell.rehearsal.world import World, generate_world

MORNING = "2026-11-19T09:00:00+01:00"
"""A Thursday in the second lesson: every process of the tests starts at this moment."""

PUPILS = 24

START_S = 180
"""How long a process may take to start on a machine that has much else to do; then the test has failed."""

LONGEST_FIRST = ("cli", "journeys", "rehearsal", "domains/people", "edge", "domains/documents", "gate")
"""Folders that take long: whichever of two processes is done last has then only a short one left."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process run all of a folder, whose tests share what their conftest starts."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_folder_of(item)))
    order = {folder: place for place, folder in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(_folder_of(item), len(order)))


def _folder_of(item: pytest.Item) -> str:
    return item.path.parent.relative_to(Path(__file__).parent).as_posix()


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


class _Printed(BytesIO):
    """What a command prints. Loggers outlive the command they wrote for first: what they write later is no error."""

    def close(self) -> None:
        """Stay open."""


def _exit_status_of(command: Callable[[], None]) -> int:
    try:
        command()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@dataclass(frozen=True)
class Installation:
    """Where the engines and the server of this run are."""

    folder: Path
    addresses: Addresses
    secret_keys: str
    port: int

    def database_url(self, role: str) -> str:
        return self.addresses.database_url(role)

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment of a firstbell process of this installation."""
        named = {
            "database_url": self.database_url("firstbell_app"),
            "database_jobs_url": self.database_url("firstbell_jobs"),
            "database_owner_url": self.database_url("firstbell_owner"),
            "database_listen_url": self.database_url("firstbell_jobs"),
            "nats_url": self.addresses.nats_url,
            "drain_pause_ms": "0",
            "clock": MORNING,
            "data_dir": str(self.folder),
            "secret_keys": self.secret_keys,
            "port": str(self.port),
            # Rules are tested, not speed: on a busy machine the gate would rightly ask the tests to wait.
            "gate_lag_ms_max": "60000",
            "gate_queuing_ms_max": "60000",
            "gate_wait_ms_max": "60000",
            # One machine plays a town: what only a script or a whole school does is what it does.
            "device_requests_max": "1000000",
            "strangers_per_second_min": "1000000",
            "sprayed_names_min": "1000000",
            **settings,
        }
        return {**os.environ, **{f"FIRSTBELL_{name.upper()}": value for name, value in named.items()}}

    def run(self, *arguments: str, **settings: str) -> "Done":
        """Run `firstbell ARGUMENTS` as an operator would: in this process, for starting Python takes most of a second.

        In a thread of its own: the browser tests have a loop running in this one.
        """
        output, errors = _Printed(), _Printed()
        printed, complained = TextIOWrapper(output, write_through=True), TextIOWrapper(errors, write_through=True)
        with (
            patch.dict(os.environ, self.environment(**settings), clear=True),
            patch.object(sys, "argv", ["firstbell", *arguments]),
            patch.object(sys, "stdin", StringIO()),
            redirect_stdout(printed),
            redirect_stderr(complained),
            ThreadPoolExecutor(1) as thread,
        ):
            status = thread.submit(_exit_status_of, main).result()
        return Done(status, output.getvalue().decode(), errors.getvalue().decode())

    def log_of(self, request_id: str, log: Path | None = None) -> dict[str, Any]:
        """What the server's log says of a request (or that of another); it writes the line just after the answer."""
        found: list[dict[str, Any]] = []

        def is_written() -> bool:
            lines = (log or self.folder / "serve.log").read_text().splitlines()
            found[:] = [json.loads(line) for line in lines if f'"{request_id}"' in line]
            return bool(found)

        wait_until(is_written)
        return found[0]

    def statements_of(self, request_id: str) -> int:
        """How many statements a request ran, without those that begin and end its transaction."""
        return int(self.log_of(request_id)["statements"])

    def sql(self, statement: str, *parameters: object) -> list[asyncpg.Record]:
        """Ask the database as its owner, whom row security does not bind: to check, never to arrange."""

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.database_url("firstbell_owner"))
            try:
                return await connection.fetch(statement, *parameters)  # type: ignore[no-any-return]
            finally:
                await connection.close()

        # In a thread of its own: the browser tests have a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, ask()).result()


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Engines in a folder of their own, migrated and empty, ended after the run."""
    folder = Path(tempfile.mkdtemp(prefix="firstbell-"))
    engines = Engines(folder)
    engines.take()
    engines.start()
    made = Installation(folder, engines.addresses, f"t:{secrets.token_hex(32)}", free_port())
    try:
        asyncio.run(_create_database(made))
        yield made
    finally:
        engines.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _create_database(made: Installation) -> None:
    await ensure_database(made.addresses.database_url("firstbell_owner", "postgres"), "firstbell")
    await migrate(made.database_url("firstbell_owner"))


@pytest.fixture(scope="session")
def server(installation: Installation) -> Iterator[str]:
    """`firstbell serve` on the installation; its address."""
    with serving(installation, installation.folder / "serve.log", port=str(installation.port)) as address:
        yield address


@contextmanager
def serving(installation: Installation, log: Path = Path(os.devnull), /, **settings: str) -> Iterator[str]:
    """A `firstbell serve` on the installation, with settings of its own; its address."""
    settings = {"port": str(free_port()), **settings}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "firstbell", "serve"], env=installation.environment(**settings), stderr=errors
        )
    address = f"http://127.0.0.1:{settings['port']}"
    try:
        wait_until(lambda: httpx.get(f"{address}/health").status_code == 200, START_S)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for `holds`, which may fail to connect meanwhile."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"not true within {seconds} s")


@dataclass(frozen=True)
class Town:
    """The small named world: the demo's two schools with few pupils, where everybody has the same password."""

    installation: Installation
    world: World
    ids: dict[str, UUID]
    """Of the schools, by slug."""

    def school_id(self, slug: str) -> UUID:
        """The id of a school."""
        return self.ids[slug]

    def somebody(self, slug: str, role: str) -> str:
        """The sign-in name of somebody with this role, who has nothing to do with another school."""
        shared = {member.sign_in_name for member in self.world.cast if member.role == "parent"}
        people = self.world.school(slug).people
        return next(
            person.sign_in_name for person in people if person.role == role and person.sign_in_name not in shared
        )

    def thing(
        self, slug: str, *, of: str | None = None, not_of: str | None = None, title: str | None = None
    ) -> dict[str, str]:
        """What addresses of a school can name, by parameter: a course (of a class, or not of one, or of a subject)
        with a folder, a document and a lesson of it, a pupil of that course with class and session."""
        [row] = self.installation.sql(
            """
            SELECT course.id AS course_id, folder.id AS folder_id, document.id AS document_id, lesson.id AS lesson_id,
                   class_member.class_id, class_member.person_id, session.id AS session_id,
                   course.school_id, encode(document.sha256, 'hex') AS sha256
            FROM course
                JOIN folder ON folder.school_id = course.school_id AND folder.root_id = course.folder_id
                    AND folder.parent_id IS NOT NULL
                JOIN document ON document.school_id = course.school_id AND document.folder_id = folder.id
                JOIN lesson ON lesson.school_id = course.school_id AND lesson.course_id = course.id
                JOIN class_member ON class_member.school_id = course.school_id
                    AND class_member.class_id = course.class_id AND class_member.role = 'pupil'
                JOIN session ON session.school_id = course.school_id
            WHERE course.school_id = $1 AND ($2::text IS NULL OR course.audience = $2)
              AND ($3::text IS NULL OR strpos(course.audience, $3) = 0)
              AND ($4::text IS NULL OR course.title = $4)
            ORDER BY course.title, lesson.date, document.name, class_member.person_id, session.id LIMIT 1
            """,
            self.ids[slug],
            of,
            not_of,
            title,
        )
        return {**{name: str(value) for name, value in row.items()}, "school": row["school_id"].hex}

    def speak(self, name: str, locale: str | None) -> None:
        """Let somebody read another language from the next sign-in on; None for the language of the school."""
        self.installation.sql(
            "UPDATE account SET locale = $2 FROM person WHERE account_id = account.id AND sign_in_name = $1",
            name,
            locale,
        )

    def marks(self, slug: str) -> list[str]:
        """Words by which a page of this school is known: its name, its ids, its people."""
        school = self.world.school(slug)
        others = {person.family_name for other in self.world.schools if other is not school for person in other.people}
        families = [person.family_name for person in school.people if person.family_name not in others]
        return [school.name, str(self.ids[slug]), self.ids[slug].hex, *self.thing(slug).values(), *families]

    def rows(self, slug: str) -> dict[str, tuple[int, int]]:
        """How many rows of every table belong to a school, and a digest of them; sessions come and go."""
        tables = self.installation.sql(
            """
            SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'school_id'
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
              AND relname NOT IN ('session', 'change', 'audit')
            """
        )
        counted = "SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM {} AS t WHERE school_id = $1"
        return {
            row["relname"]: tuple(self.installation.sql(counted.format(row["relname"]), self.ids[slug])[0])
            for row in tables
        }


@pytest.fixture(scope="session")
def town(installation: Installation) -> Town:
    """Filled as the demo is: by the roster's import, the timetable's import, and the actions of pages."""
    filled = installation.run("demo-school", "--pupils", str(PUPILS))
    assert filled.returncode == 0, filled.stderr
    ids = {row["slug"]: row["id"] for row in installation.sql("SELECT slug, id FROM school")}
    return Town(installation, generate_world(SEED, PUPILS, today=datetime.fromisoformat(MORNING).date()), ids)


class Browsers:
    """Browsers of people of the town, signed in once and kept for the run."""

    def __init__(self, address: str, town: Town) -> None:
        self._address = address
        self._town = town
        self._open = ExitStack()
        self._known: dict[tuple[str, str], httpx.Client] = {}

    def of(self, slug: str, name: str) -> httpx.Client:
        """The browser in which somebody signed in at a school."""
        if (slug, name) not in self._known:
            self._known[slug, name] = self.fresh(slug)
            sign_in(self._known[slug, name], name)
        return self._known[slug, name]

    def fresh(self, slug: str) -> httpx.Client:
        """A browser at a school in which nobody is signed in."""
        host = self._town.world.school(slug).host
        client = httpx.Client(base_url=self._address, headers={"host": host, "accept": "text/html"}, timeout=30)
        return self._open.enter_context(client)

    def close(self) -> None:
        """Close them all."""
        self._open.close()


def sign_in(client: httpx.Client, name: str) -> None:
    """Sign in through the form."""
    answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 303, answer.text


@pytest.fixture(scope="session")
def browsers(town: Town, server: str) -> Iterator[Browsers]:
    """Browsers of the people of the town; Noor and Milan are signed in, so that each school has a session."""
    made = Browsers(server, town)
    made.of("sint-jozef", "noor.vermeulen")
    made.of("de-wegwijzer", "milan.vermeulen")
    yield made
    made.close()
