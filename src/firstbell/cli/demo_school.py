"""`firstbell demo-school`: fills an empty installation with the demo world, by the imports that schools use."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from errno import EDQUOT, ENOSPC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from asyncpg.exceptions import DiskFullError
from rich.console import Console

from firstbell.cli import app, operator_settings
from firstbell.cli.demo import PUPILS, DemoSchool, Guest, remember_demo_school
from firstbell.cli.progress import Steps
from firstbell.cli.school import find_mapping, jobs_pool, roster_limits
from firstbell.domains.courses import queries as courses
from firstbell.domains.documents.actions import add_documents, claim_blobs, create_folder
from firstbell.domains.documents.model import NewDocument, Tree
from firstbell.domains.people import queries as people
from firstbell.domains.people.actions import Accounts, Sessions, SignIn
from firstbell.domains.people.model import School
from firstbell.domains.roster.actions import Import
from firstbell.domains.timetable import queries as timetable
from firstbell.domains.timetable.actions import LessonBook, TimetableImport
from firstbell.domains.timetable.queries import importing
from firstbell.kernel.blobs import Blobs, StorageDownError
from firstbell.kernel.changes import record_change
from firstbell.kernel.clock import Clock, Ids, clock_from
from firstbell.kernel.csvfiles import open_package
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.passwords import hash_password
from firstbell.listeners import domain_events
from firstbell.rehearsal import world as worlds
from firstbell.rehearsal.world.documents import Content, WorldDocument, course_documents, lesson_material
from firstbell.settings import Settings

SEED = 1
PASSWORD = "eerste-bel"  # noqa: S105 - shown to whoever starts the demo
WEEKS_BEFORE, WEEKS_AFTER = 2, 3
"""Lessons around today: enough to look back and ahead."""

NEWEST, OLDEST = timedelta(hours=20), timedelta(days=45)
"""How long ago the documents of the present chapter and those before it were added."""

_HOME = ("localhost", "127.0.0.1")
"""Host names at which the first school answers beside its own."""


@app.command("demo-school", hidden=True)
def fill(pupils: Annotated[int, typer.Option(min=12, help="Pupils of the school.")] = PUPILS) -> None:
    """Put the demo world into an empty installation, and into no other; `firstbell demo` does so by itself."""
    settings = operator_settings()
    try:
        asyncio.run(_fill(settings, pupils, Steps(Console())))
    except (StorageDownError, DiskFullError) as error:
        raise OperatorError(f"The demo school cannot be kept: {_reason(error, settings.data_dir)}.") from error


def _reason(error: Exception, folder: Path) -> str:
    """Why nothing could be written: how full the disk is, or what the system says."""
    cause = error.__cause__
    if isinstance(error, DiskFullError) or (isinstance(cause, OSError) and cause.errno in (ENOSPC, EDQUOT)):
        return f"the disk has {shutil.disk_usage(folder).free // 1_000_000} MB free"
    if isinstance(cause, TimeoutError):
        return f"writing to {folder} takes too long"
    return (isinstance(cause, OSError) and cause.strerror) or str(cause)


async def _fill(settings: Settings, pupils: int, steps: Steps) -> None:
    clock = clock_from(settings.clock)
    today = clock.now().astimezone(ZoneInfo("Europe/Brussels")).date()
    with steps.step(f"Inventing two schools and {pupils} pupils"):
        world = worlds.generate_world(SEED, pupils, today=today)
    async with _filler(settings, clock, steps) as filler:
        await filler.check_empty(world)
        for number, school in enumerate(world.schools):
            await filler.add_school(school, _HOME if number == 0 else ())
        await filler.link_families(world)
        await filler.pool.analyze()
    remember_demo_school(settings.data_dir, DemoSchool(pupils, tuple(_guests(world))))


@asynccontextmanager
async def _filler(settings: Settings, clock: Clock, steps: Steps) -> AsyncIterator["_Filler"]:
    blobs = Blobs.open(settings)
    try:
        async with jobs_pool(settings) as pool:
            yield _Filler(settings, clock, steps, pool, blobs, hash_password(PASSWORD))
    finally:
        blobs.close()


def _guests(world: worlds.World) -> list[Guest]:
    guests = []
    for member in world.cast:
        if member.school is not None:
            school = world.school(member.school)
            host = _HOME[0] if school is world.schools[0] else school.host
            guests.append(Guest(member.role, member.name, school.name, host, member.sign_in_name, PASSWORD))
    return guests


@dataclass(slots=True)
class _Filler:
    settings: Settings
    clock: Clock
    steps: Steps
    pool: Pool
    blobs: Blobs
    password_hash: str
    ids: Ids = field(init=False)
    schools: dict[str, School] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = Ids(self.clock)

    async def check_empty(self, world: worlds.World) -> None:
        """Raises: OperatorError: a school has a name of the demo world, which fills an empty installation only."""
        async with self.pool.begin(reading_only=True) as tx:
            taken = {school.slug for school, _ in await people.list_schools(tx)} & {made.slug for made in world.schools}
        if taken:
            raise OperatorError(f"There is a school {min(taken)!r} here; the demo world wants an empty installation.")

    async def add_school(self, made: worlds.School, other_hosts: tuple[str, ...]) -> None:
        """Bring in one school with all that it has."""
        school = School(self.ids.new(), made.slug, made.name, made.locale, made.timezone)
        self.schools[made.slug] = school
        async with self._in(school) as tx:
            await people.add_school(tx, school, [made.host, *other_hosts])
            await record_change(tx, school.id, "school", [school.id])
        with TemporaryDirectory(prefix="firstbell-") as folder:
            with self.steps.step(f"{made.name}: people, classes and courses from a roster"):
                await self._import_roster(made, school, Path(folder))
            with self.steps.step(f"{made.name}: timetable from a calendar file"):
                await self._import_timetable(made, school, Path(folder))
        await self._add_documents(made, school)
        with self.steps.step(f"{made.name}: passwords"):
            async with self._in(school) as tx:
                await people.set_first_passwords(tx, school.id, self.password_hash)

    async def link_families(self, world: worlds.World) -> None:
        """Let who is a parent in several schools link them by a code of each, as parents do."""
        homes: dict[str, list[School]] = {}
        for member in world.cast:
            if member.role is worlds.Role.PARENT and member.school is not None:
                homes.setdefault(member.sign_in_name, []).append(self.schools[member.school])
        for sign_in_name, (home, *others) in homes.items():
            for other in others:
                await self._link(sign_in_name, home, other)

    async def _link(self, sign_in_name: str, home: School, other: School) -> None:
        accounts = Accounts(self.settings, self.clock, self.ids)
        sessions = Sessions(self.settings, self.clock, self.ids)
        async with self._in(other) as tx:
            there = await people.find_credentials(tx, other.id, sign_in_name)
            code = await accounts.create_activation_code(tx, other.id, there.person_id) if there else ""
        async with self._in(home) as tx:
            here = await people.find_credentials(tx, home.id, sign_in_name)
            sign_in = SignIn(home.id, self.ids.new(), "Firstbell", is_shared_device=True)
            session = await sessions.start(tx, sign_in, here) if here else None
            if session is not None:
                await accounts.link(tx, session.viewer, code)
                await sessions.end(tx, home.id, session.viewer.session_id)

    @asynccontextmanager
    async def _in(self, school: School) -> AsyncIterator[Transaction]:
        async with self.pool.begin((school.id,), school.id) as tx:
            yield tx

    async def _import_roster(self, made: worlds.School, school: School, folder: Path) -> None:
        worlds.write_oneroster(made, folder / "roster.zip", version="1.2")
        worlds.write_role_mapping(made, folder / "roles.json")
        mapping = find_mapping(folder / "roles.json")
        with open_package(folder / "roster.zip", roster_limits(self.settings)) as package:
            async with self._in(school) as tx:
                roster = Import(
                    tx,
                    school,
                    mapping=mapping,
                    ids=self.ids,
                    now=self.clock.now(),
                    batch_rows=self.settings.roster_batch_rows,
                    events=domain_events(),
                )
                await roster.stage(package, _unwatched)
                await roster.compare(_unwatched)
                await roster.merge(_unwatched)

    async def _import_timetable(self, made: worlds.School, school: School, folder: Path) -> None:
        first_day = made.today - timedelta(weeks=WEEKS_BEFORE)
        worlds.write_ics(made, folder / "timetable.ics", first_day, WEEKS_BEFORE + 1 + WEEKS_AFTER)
        async with self._in(school) as tx:
            await TimetableImport(self.settings, self.clock, self.ids).run(tx, school, folder / "timetable.ics")

    async def _add_documents(self, made: worlds.School, school: School) -> None:
        wanted = {course.id: list(course_documents(course)) for course in made.courses}
        contents = {document.content: document for documents in wanted.values() for document in documents}
        with self.steps.step(f"{made.name}: making {len(contents)} documents", len(contents)) as advance:
            kept: dict[Content, tuple[bytes, int]] = {}
            for content, document in contents.items():
                kept[content] = await self._keep(school, document)
                advance(1)
        async with self._in(school) as tx:
            known = await courses.list_by_source_id(tx, school.id)
            teachers = {course.id: course.teacher_ids for course in await importing.list_known_courses(tx, school.id)}
        with self.steps.step(f"{made.name}: folders and lesson material", len(made.courses)) as advance:
            for course in made.courses:
                course_id, folder_id = known[course.id]
                shelf = _Shelf(Tree(school.id, folder_id), course_id, teachers[course_id][0], kept)
                async with self._in(school) as tx:
                    named = await self._fill_folders(tx, shelf, wanted[course.id])
                    await self._attach_material(tx, shelf, course, named, made.today)
                advance(1)

    async def _keep(self, school: School, document: WorldDocument) -> tuple[bytes, int]:
        data = await asyncio.to_thread(document.read)
        blob = (hashlib.sha256(data).digest(), len(data))
        async with self._in(school) as tx:
            await claim_blobs(tx, school.id, [blob], at=self.clock.now())
        await self.blobs.keep_bytes(school.id, data)
        return blob

    async def _fill_folders(self, tx: Transaction, shelf: "_Shelf", documents: list[WorldDocument]) -> dict[str, UUID]:
        named: dict[str, UUID] = {}
        now, present = self.clock.now(), documents[0].folder
        for folder in sorted({document.folder for document in documents}):
            at = now - (NEWEST if folder == present else OLDEST)
            folder_id = self.ids.new()
            await create_folder(tx, shelf.tree, shelf.tree.root_id, folder_id, folder, at=at, settings=self.settings)
            new = [self._new(document, shelf) for document in documents if document.folder == folder]
            await add_documents(tx, shelf.tree, folder_id, new, by=shelf.teacher_id, at=at, settings=self.settings)
            named.update((document.name, document.id) for document in new)
        return named

    def _new(self, document: WorldDocument, shelf: "_Shelf") -> NewDocument:
        sha256, size_bytes = shelf.kept[document.content]
        return NewDocument(self.ids.new(), document.name, document.media_type, sha256, size_bytes)

    async def _attach_material(
        self, tx: Transaction, shelf: "_Shelf", course: worlds.Course, named: dict[str, UUID], today: date
    ) -> None:
        book = LessonBook(self.settings, self.clock)
        first_day = today - timedelta(weeks=WEEKS_BEFORE)
        lessons = await timetable.list_next_lessons(
            tx, shelf.tree.school_id, shelf.course_id, first_day, most=self.settings.timetable_batch_lessons
        )
        for lesson in lessons:
            if names := lesson_material(course, lesson.date):
                await book.attach(tx, lesson, [named[name] for name in names])


@dataclass(frozen=True, slots=True)
class _Shelf:
    """A course whose folders are filled: by one of its teachers, with blobs that are kept."""

    tree: Tree
    course_id: UUID
    teacher_id: UUID
    kept: dict[Content, tuple[bytes, int]]


def _unwatched(_step: str, _done: int, _total: int) -> None:
    """The bar of the whole step is enough."""
