"""`firstbell school`: the schools of this cell and their rosters."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer
from asyncpg.exceptions import InterfaceError, PostgresError, UniqueViolationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from firstbell.cli import app, operator_settings
from firstbell.domains.people import queries as people
from firstbell.domains.people.model import School
from firstbell.domains.roster.actions import Import, Report, Watch
from firstbell.domains.roster.model import RoleMapping, RosterError, read_mapping
from firstbell.kernel.bus import Bus
from firstbell.kernel.changes import record_change
from firstbell.kernel.clock import Ids, clock_from
from firstbell.kernel.csvfiles import Limits, Package, UnreadableError, open_package
from firstbell.kernel.db import Pool
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.i18n import LOCALES
from firstbell.kernel.logs import quieten_logs
from firstbell.listeners import domain_events
from firstbell.settings import Settings

SLUG = re.compile(r"[a-z0-9-]{1,63}")
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")
NAME_CHARS_MAX = 200
MAPPING_BYTES_MAX = 1_000_000
VERDICTS = ("added", "changed", "returned", "retired", "removed")
KINDS = ("school year", "person", "parent of child", "class", "member of class", "course", "enrolment")

school_app = typer.Typer(no_args_is_help=True, help="The schools of this cell and their rosters.")
app.add_typer(school_app, name="school")


@asynccontextmanager
async def jobs_pool(settings: Settings) -> AsyncIterator[Pool]:
    """The database as the role of jobs and of the command line, for statements that take their time.

    What changes is hinted on the bus, so that open pages hear of it at once.

    Raises:
        OperatorError: it cannot be reached, or it refuses; one sentence.
    """
    quieten_logs()
    bus = Bus(settings.nats_url, "command line")
    await bus.start()
    try:
        pool = await Pool.open(
            settings.database_jobs_url,
            connections_max=1,
            statement_timeout_ms=settings.roster_statement_timeout_ms,
            publish=lambda subject: bus.publish(subject, b""),
        )
        try:
            yield pool
        finally:
            await pool.close()
    except (OSError, PostgresError, InterfaceError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise OperatorError(f"The database refuses: {reason}.") from error
    finally:
        await bus.stop()


async def find_school(pool: Pool, slug: str | None) -> School:
    """The school with this slug, or the only one.

    Raises:
        OperatorError: there is none, or without a slug several.
    """
    async with pool.begin(reading_only=True) as tx:
        schools = [school for school, _ in await people.list_schools(tx)]
    if not schools:
        raise OperatorError("There is no school yet: add one with firstbell school add.")
    found = [school for school in schools if slug in (None, school.slug)]
    if len(found) == 1:
        return found[0]
    slugs = ", ".join(sorted(school.slug for school in schools)[:20])
    if slug is None:
        raise OperatorError(f"Say which school with --school: {slugs}.")
    raise OperatorError(f"There is no school {slug!r}; there are: {slugs}.")


@school_app.command()
def add(
    slug: Annotated[str, typer.Argument(help="Short name for the command line, such as sint-jozef.")],
    name: Annotated[str, typer.Option(help="The name that people read.")],
    host: Annotated[list[str], typer.Option(help="Host name at which it answers; may be given again.")],
    locale: Annotated[str, typer.Option(help="Language: nl, en or fr.")] = "nl",
    time_zone: Annotated[str, typer.Option(help="Where its lessons are.")] = "Europe/Brussels",
) -> None:
    """Add a school without anybody in it."""
    settings = operator_settings()
    _check_school(slug, name, locale, time_zone)
    hosts = [_checked_host(each) for each in dict.fromkeys(host)]
    school = School(Ids(clock_from(settings.clock)).new(), slug, name.strip(), locale, time_zone)
    asyncio.run(_add(settings, school, hosts))
    typer.echo(f"Added {school.name}, at {', '.join(hosts)}.")


def _check_school(slug: str, name: str, locale: str, time_zone: str) -> None:
    if not SLUG.fullmatch(slug):
        raise OperatorError(f"{slug!r} is not a slug: small letters, digits and dashes, at most 63.")
    if not 1 <= len(name.strip()) <= NAME_CHARS_MAX or not name.isprintable():
        raise OperatorError(f"The name of a school has 1 to {NAME_CHARS_MAX} characters.")
    if locale not in LOCALES:
        raise OperatorError(f"{locale!r} is not a language of Firstbell: {', '.join(LOCALES)}.")
    try:
        ZoneInfo(time_zone)
    except (OSError, ValueError, KeyError) as error:
        raise OperatorError(f"{time_zone!r} is not a time zone such as Europe/Brussels.") from error


def _checked_host(host: str) -> str:
    name = host.strip().lower()
    if not HOST.fullmatch(name):
        raise OperatorError(f"{host!r} is not a host name such as school.example.org; leave the port out.")
    return name


async def _add(settings: Settings, school: School, hosts: list[str]) -> None:
    async with jobs_pool(settings) as pool:
        try:
            async with pool.begin((school.id,), school.id) as tx:
                await people.add_school(tx, school, hosts)
                await record_change(tx, school.id, "school", [school.id])
        except UniqueViolationError as error:
            raise OperatorError(
                "Another school has this slug or host name already; see firstbell school list."
            ) from error


@school_app.command(name="list")
def list_schools() -> None:
    """List the schools of this cell and where they answer."""
    settings = operator_settings()

    async def fetch() -> list[tuple[School, list[str]]]:
        async with jobs_pool(settings) as pool, pool.begin(reading_only=True) as tx:
            return await people.list_schools(tx)

    for school, hosts in asyncio.run(fetch()):
        typer.echo(f"{school.slug}\t{school.name}\t{', '.join(hosts)}")


@school_app.command(name="import")
def import_roster(
    file: Annotated[Path, typer.Argument(help="OneRoster CSV 1.1 or 1.2: a zip archive or a folder.")],
    *,
    school: Annotated[str | None, typer.Option(help="Slug of the school, when there are several.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would differ and write nothing.")] = False,
    skip_rejected: Annotated[
        bool, typer.Option("--skip-rejected", help="Import the rest when rows are rejected.")
    ] = False,
    retire: Annotated[
        bool, typer.Option("--retire", help="Yes, a large part of the people is not in the files and retires.")
    ] = False,
    mapping: Annotated[
        Path | None, typer.Option(help="TOML or JSON: roles and groups that the files cannot say.")
    ] = None,
) -> None:
    """Bring in people, classes and courses. One rejected row rejects the whole file."""
    settings = operator_settings()
    try:
        said = find_mapping(mapping)
        asyncio.run(_import(settings, file, school, said, _Choices(dry_run, skip_rejected, retire)))
    except (UnreadableError, RosterError) as error:
        raise OperatorError(str(error)) from error


class _Choices(NamedTuple):
    """What whoever imports said beside the file."""

    dry_run: bool
    skips_rejected: bool
    retires: bool


def find_mapping(path: Path | None) -> RoleMapping:
    """What a mapping file says; nothing without one.

    Raises:
        OperatorError: it cannot be read.
        RosterError: it says what we do not understand.
    """
    if path is None:
        return RoleMapping()
    try:
        with path.open("rb") as file:
            text = file.read(MAPPING_BYTES_MAX + 1)
        if len(text) > MAPPING_BYTES_MAX:
            raise OperatorError(f"{path} is larger than {MAPPING_BYTES_MAX // 1_000:,} kB.")
        return read_mapping(path.name, text.decode("utf-8-sig"))
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise OperatorError(f"{path} is not in UTF-8.") from error


async def _import(settings: Settings, file: Path, slug: str | None, mapping: RoleMapping, choices: _Choices) -> None:
    clock = clock_from(settings.clock)
    with open_package(file, roster_limits(settings)) as package:
        async with jobs_pool(settings) as pool:
            school = await find_school(pool, slug)
            tx = pool.transaction((school.id,), school.id)
            steps = Import(
                tx,
                school,
                mapping=mapping,
                ids=Ids(clock),
                now=clock.now(),
                batch_rows=settings.roster_batch_rows,
                events=domain_events(),
            )
            try:
                await _stage(steps, package, skips_rejected=choices.skips_rejected)
                with _progress() as watch:
                    report = await steps.compare(watch)
                    doubt = _doubt(school, report, settings) if not choices.retires else ""
                    if doubt and not choices.dry_run:
                        raise RosterError(f"Nothing was imported: {doubt}")
                    if not choices.dry_run:
                        await steps.merge(watch)
                        await tx.commit()
                async for kind, verdict, name in _listed(steps, dry_run=choices.dry_run):
                    print(f"{verdict} {kind}: {_plain(name)}")
            finally:
                await tx.roll_back()
            if not choices.dry_run:
                await pool.analyze()
    _show(school, report, dry_run=choices.dry_run)
    if doubt:
        typer.echo(f"It would not be imported: {doubt}")


def _doubt(school: School, report: Report, settings: Settings) -> str:
    """Why this many people can hardly be meant to retire; "" when they can."""
    if report.people_retiring <= settings.roster_retired_share_max * report.people_here:
        return ""
    return (
        f"{report.people_retiring:,} of the {report.people_here:,} people of {school.name} are not in the files and "
        "would retire; say --retire if that is right."
    )


def roster_limits(settings: Settings) -> Limits:
    """How large a roster may be."""
    return Limits(
        archive_bytes_max=settings.roster_archive_bytes_max,
        bytes_max=settings.roster_bytes_max,
        ratio_max=settings.roster_ratio_max,
        entries_max=settings.roster_entries_max,
    )


async def _stage(steps: Import, package: Package, *, skips_rejected: bool) -> None:
    with _progress() as watch:
        report = await steps.stage(package, watch)
    async for rejection in steps.rejections():
        print(_plain(str(rejection)))
    if report.refusal:
        raise RosterError(f"Nothing was imported: {report.refusal}")
    if report.rejected and not skips_rejected:
        raise RosterError(f"Nothing was imported: {report.rejected:,} rejected, named above.")


async def _listed(steps: Import, *, dry_run: bool) -> AsyncIterator[tuple[str, str, str]]:
    if dry_run:
        async for difference in steps.differences():
            yield difference


def _plain(text: str) -> str:
    """What a file says must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


@contextmanager
def _progress() -> Iterator[Watch]:
    """A bar on standard error for each step that an import tells of."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def watch(step: str, done: int, total: int) -> None:
            if step not in tasks:
                for task in tasks.values():
                    progress.update(task, total=1, completed=1)
                tasks[step] = progress.add_task(step, total=total or None)
            progress.update(tasks[step], completed=done)

        yield watch
        for task in tasks.values():
            progress.update(task, total=1, completed=1)


def _show(school: School, report: Report, *, dry_run: bool) -> None:
    for name in report.ignored:
        typer.echo(f"Ignored: {_plain(name)}.")
    if report.rejected:
        typer.echo(f"Left out: {report.rejected:,} rejected, named above.")
    if not report.changes:
        typer.echo(f"Nothing {'would change' if dry_run else 'changed'}: {school.name} is as the files say.")
        return
    if report.new_name:
        typer.echo(f"{school.name} {'would be' if dry_run else 'is'} called {_plain(report.new_name)}.")
    table = Table("", *VERDICTS, title="Would change" if dry_run else "Changed", title_justify="left")
    for kind in KINDS:
        counts = [report.counts.get((kind, verdict), 0) for verdict in VERDICTS]
        if any(counts):
            table.add_row(kind, *(f"{count:,}" if count else "" for count in counts))
    Console(width=100).print(table)
