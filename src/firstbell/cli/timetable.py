"""`firstbell timetable`: the lessons of a school."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from firstbell.cli import app, operator_settings
from firstbell.domains.people.model import School
from firstbell.domains.people.queries import list_schools
from firstbell.domains.timetable.actions import RejectedError, TimetableImport
from firstbell.domains.timetable.model.slots import Change, Rejection
from firstbell.kernel.clock import Ids, clock_from
from firstbell.kernel.db import Pool
from firstbell.kernel.errors import InvalidError, OperatorError
from firstbell.settings import Settings

timetable = typer.Typer(no_args_is_help=True, help="The lessons of a school.")
app.add_typer(timetable, name="timetable")


@timetable.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="iCalendar or CSV.")],
    *,
    school: Annotated[str, typer.Option(help="Short name of the school.")],
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    skip_rejected: Annotated[bool, typer.Option("--skip-rejected", help="Bring in what is right.")] = False,
) -> None:
    """Bring the lessons to what FILE says, from --from to --until or in the present school year."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.completed} lessons read"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        work = _import(
            operator_settings(),
            school,
            file,
            days=(first, last),
            dry_run=dry_run,
            skip_rejected=skip_rejected,
            on_progress=lambda count: progress.update(task, completed=count),
        )
        try:
            change = asyncio.run(work)
        except RejectedError as error:
            _list_rejections(error.rejections, error.count)
            raise OperatorError(f"{error} Nothing was changed; --skip-rejected brings in the others.") from error
        except InvalidError as error:
            raise OperatorError(f"{error} Nothing was changed.") from error
    _report(change, dry_run=dry_run)


async def _import(
    settings: Settings,
    slug: str,
    file: Path,
    *,
    days: tuple[datetime | None, datetime | None],
    dry_run: bool,
    skip_rejected: bool,
    on_progress: Callable[[int], None],
) -> Change:
    clock = clock_from(settings.clock)
    pool = await Pool.open(
        settings.database_jobs_url,
        connections_max=1,
        statement_timeout_ms=settings.timetable_statement_timeout_ms,
    )
    try:
        school = await _school(pool, slug)
        tx = pool.transaction((school.id,), school.id)
        try:
            first, last = (day and day.date() for day in days)
            change = await TimetableImport(settings, clock, Ids(clock)).run(
                tx, school, file, first=first, last=last, skip_rejected=skip_rejected, on_progress=on_progress
            )
            if not dry_run:
                await tx.commit()
        finally:
            await tx.roll_back()
        if not dry_run:
            await pool.analyze()
        return change
    finally:
        await pool.close()


async def _school(pool: Pool, slug: str) -> School:
    async with pool.begin(reading_only=True) as tx:
        schools = [school for school, _ in await list_schools(tx)]
    for school in schools:
        if school.slug == slug:
            return school
    known = ", ".join(school.slug for school in schools) or "none yet"
    raise OperatorError(f"There is no school {slug!r}; the schools are: {known}.")


def _list_rejections(rejections: Sequence[Rejection], count: int) -> None:
    for rejection in rejections:
        print(rejection, file=sys.stderr)
    if count > len(rejections):
        print(f"... and {count - len(rejections)} more", file=sys.stderr)


def _report(change: Change, *, dry_run: bool) -> None:
    _list_rejections(change.rejections, change.rejected)
    print("Nothing was changed; this would be:" if dry_run else "The timetable is up to date:")
    counts = {
        "added": change.added,
        "changed": change.changed,
        "removed": change.removed,
        "cancelled": change.cancelled,
        "unchanged": change.unchanged,
        "outside the days": change.outside,
        "rejected": change.rejected,
    }
    for words, count in counts.items():
        print(f"{count:>9}  {words}")
