"""`firstbell demo`: a whole installation on this machine, with a school in it, until Ctrl-C."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from firstbell.cli import app, with_running_clock
from firstbell.cli.ending import Ended, end_on_signals, end_undisturbed
from firstbell.cli.installation import Installation
from firstbell.cli.progress import Steps
from firstbell.kernel.db import Pool
from firstbell.kernel.errors import OperatorError
from firstbell.settings import Settings, read_settings

PUPILS = 600


class Guest(msgspec.Struct, frozen=True):
    """Somebody as whom to try the demo."""

    role: str
    name: str
    school: str
    host: str
    sign_in_name: str
    password: str


class DemoSchool(msgspec.Struct, frozen=True):
    """What a data folder remembers of the school that was put into it."""

    pupils: int
    guests: tuple[Guest, ...]


DRAIN_SECONDS = 10
"""Under the patience of who ends the web, so that the web itself ends a worker that hangs."""


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder that keeps everything.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Begin without the demo school.")] = False,
    pupils: Annotated[
        int | None, typer.Option(min=12, help=f"Pupils of the demo school, {PUPILS} unless given.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", hidden=True, help="Follow changes of the sources.")] = False,
) -> None:
    """Start PostgreSQL, NATS, the web and the jobs on this machine, with a demo school; Ctrl-C ends them all."""
    end_on_signals()
    console = Console()
    given: dict[str, Any] = {"port": port, "data_dir": data_dir}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    # Nobody stands in front of us who must be told first; children may run in another folder.
    settings = replace(
        with_running_clock(settings),
        drain_pause_ms=0,
        drain_seconds_max=DRAIN_SECONDS,
        data_dir=settings.data_dir.absolute(),
    )
    installation = Installation(settings, Steps(console), console.print)
    try:
        installation.start_engines()
        _ensure_school(installation, empty=empty, pupils=pupils)
        installation.serve(watch=watch)
        _welcome(console, installation.settings)
        installation.watch()
    except Ended:
        console.print("\nFirstbell has ended.")
    finally:
        end_undisturbed()
        installation.stop()


def _ensure_school(installation: Installation, *, empty: bool, pupils: int | None) -> None:
    if empty:
        return
    if not asyncio.run(_has_school(installation.settings)):
        installation.fill(["demo-school", "--pupils", str(pupils or PUPILS)])
        return
    known = read_demo_school(installation.settings.data_dir)
    if pupils is not None and (known is None or known.pupils != pupils):
        raise OperatorError(
            f"The data folder {installation.settings.data_dir} holds a school already; "
            "for one of another size name another folder with --data-dir."
        )


async def _has_school(settings: Settings) -> bool:
    from firstbell.domains.people.queries import list_schools  # noqa: PLC0415 - large, and only for this

    pool = await Pool.open(
        settings.database_jobs_url,
        connections_max=1,
        statement_timeout_ms=settings.database_statement_timeout_ms,
    )
    try:
        async with pool.begin(reading_only=True) as tx:
            return bool(await list_schools(tx))
    finally:
        await pool.close()


def _welcome(console: Console, settings: Settings) -> None:
    console.print(f"\n[bold]Firstbell is ready at http://localhost:{settings.port}[/]\n", highlight=False)
    known = read_demo_school(settings.data_dir)
    if known is None:
        console.print("There is no demo school here; `firstbell school --help` tells how to add one.", highlight=False)
    else:
        for table in _guest_lists(known, settings.port):
            console.print(table)
    console.print("Ctrl-C ends everything.", highlight=False)


def _guest_lists(known: DemoSchool, port: int) -> Iterator[Table]:
    """Who can sign in, a table for each school: one of them all is too wide for a terminal of 80 columns."""
    for (school, host), guests in groupby(known.guests, key=lambda guest: (guest.school, guest.host)):
        title = f"{school}: sign in at http://{host}:{port}"
        table = Table("role", "name", "sign-in name", "password", title=title, title_justify="left", box=SIMPLE_HEAD)
        for guest in guests:
            table.add_row(guest.role, guest.name, guest.sign_in_name, guest.password)
        yield table


def read_demo_school(data_dir: Path) -> DemoSchool | None:
    """What was put into the data folder, or None."""
    try:
        return msgspec.json.decode((data_dir / "demo-school.json").read_bytes(), type=DemoSchool)
    except OSError:
        return None


def remember_demo_school(data_dir: Path, school: DemoSchool) -> None:
    """Keep for later starts who can sign in."""
    (data_dir / "demo-school.json").write_bytes(msgspec.json.encode(school))
