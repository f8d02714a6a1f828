"""`firstbell rehearse`: a school morning, played on an installation of its own; ends in a report."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from firstbell.cli import app
from firstbell.cli.installation import Installation
from firstbell.cli.progress import Steps
from firstbell.cli.school import jobs_pool
from firstbell.domains.people import queries
from firstbell.domains.people.access import CookieJar
from firstbell.domains.people.model import RefreshToken, School
from firstbell.domains.people.queries.rehearsing import Device, add_devices, give_everybody_password
from firstbell.kernel.clock import clock_from
from firstbell.kernel.engines import free_port
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.passwords import hash_password
from firstbell.rehearsal.cast import attacking_sources, look_around, source_of, write_cast
from firstbell.rehearsal.conductor import Conductor, Limits, NoCapacityError, Played
from firstbell.rehearsal.faults import Breaker
from firstbell.rehearsal.ledger import Reckoned, check_ledger
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player
from firstbell.rehearsal.reckoning import reckon
from firstbell.rehearsal.report import write_report
from firstbell.rehearsal.scenarios import SCENARIOS
from firstbell.rehearsal.scenarios.scenario import Fault
from firstbell.rehearsal.screen import Screen, verdict_table
from firstbell.rehearsal.world.schools import PUPILS_MIN
from firstbell.settings import read_settings

MORNING = "2026-11-19T08:20:00+01:00"
"""A Thursday, ten minutes before the bell."""

PUPILS = 1_200
PASSWORD = "de-bel-gaat-om-half-negen"  # noqa: S105 - of invented people, in a world that only this machine reaches
DEVICES_MAX = 200_000
"""Signed-in devices that are made beforehand; after the last the first comes again, a night later."""

DEVICES_MIN = 2_000
ATTACKERS = 4_000
"""Addresses that attackers have beside those of the schools."""

NAMES_TRIED = 500
SERVING_CORE, PLAYING_CORE = 0, 1


@app.command()
def rehearse(
    scenario: Annotated[str, typer.Argument(help=f"One of {', '.join(SCENARIOS)}.")],
    *,
    minutes: Annotated[float | None, typer.Option(min=0.05, max=60, help="How long, beside finding capacity.")] = None,
    json: Annotated[Path | None, typer.Option(help="File for the figures.")] = None,
    report: Annotated[Path | None, typer.Option(help="File for the report, one page of HTML.")] = None,
    pupils: Annotated[int, typer.Option(min=PUPILS_MIN, help="Pupils of the world.")] = PUPILS,
    people_per_second_max: Annotated[
        float | None, typer.Option(min=1, help="Never more people a second: a trial that proves nothing.")
    ] = None,
) -> None:
    """Play SCENARIO on an installation of its own, on one core; exit status 1 when one of its bars is missed."""
    chosen = SCENARIOS.get(scenario)
    if chosen is None:
        raise OperatorError(f"{scenario!r} is not a scenario; there are: {', '.join(SCENARIOS)}.")
    limits = Limits(minutes or chosen.minutes, people_per_second_max)
    console = Console()
    with _stage(console, pupils) as stage:
        screen = Screen(console, chosen)
        conductor = Conductor(stage, limits, stage.playing_core, screen.watch)
        try:
            stage.invite(DEVICES_MIN)
            with screen.live("Finding the capacity"):
                capacity = conductor.find_capacity()
            console.print(f"Capacity: {capacity.people_per_s:,.0f} people a second, {capacity.steps_per_s:,.0f} steps.")
            stage.invite(min(DEVICES_MAX, DEVICES_MIN + 2 * conductor.people(chosen, capacity)))
            with screen.live(chosen.story):
                played = conductor.play(chosen, capacity)
        except NoCapacityError as error:
            raise OperatorError(
                "Not even a handful of people was served in time; something else keeps this machine busy."
            ) from error
        finally:
            conductor.stop()
        reckoned = stage.check_ledger(played)
    results = reckon(played, edge=False, lost=reckoned.lost, duplicates=reckoned.duplicates, refusal_cpu_us=None)
    console.print(verdict_table(chosen, results))
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    if report is not None:
        write_report(report, played, results)
    if not all(bar.is_held(results) for bar in chosen.bars):
        raise typer.Exit(1)


class OwnStage:
    """An installation that only this rehearsal uses: its world, its processes on a core of their own."""

    def __init__(self, folder: Path, console: Console, pupils: int) -> None:
        self._steps = Steps(console)
        self._pupils = pupils
        settings = replace(
            read_settings(), data_dir=folder, host="127.0.0.1", port=free_port(), workers=1, clock=MORNING,
            drain_pause_ms=0,
        )  # fmt: skip
        self.target = Target(settings.host, settings.port)
        _check_loopback(self.target)
        self._installation = Installation(settings, self._steps, console.print)
        self._breaker = Breaker(folder)
        self._cores = sorted(os.sched_getaffinity(0))
        self.playing_core = self._cores[PLAYING_CORE] if len(self._cores) > 1 else None
        self._folder = folder
        self._casts = 0
        self.cast = folder
        self.hosts: Sequence[str] = ()
        self.names: Sequence[str] = ()
        self.sources: Sequence[str] = ()
        self._players: dict[str, Player] = {}
        self._schools: list[tuple[School, str]] = []

    def open(self) -> None:
        """Start everything, fill the world, and look who is there."""
        with self._serving():
            self._installation.start_engines()
            self._installation.fill(["demo-school", "--pupils", str(self._pupils)])
            self._installation.serve()
        asyncio.run(self._prepare())

    def close(self) -> None:
        """End everything."""
        self._breaker.mend()
        self._installation.stop()

    def invite(self, devices: int) -> None:
        """Sign people in on so many devices together, and write the cast anew."""
        with self._steps.step(f"Handing out {devices:,} devices"):
            asyncio.run(self._invite(devices))

    def application(self) -> Sequence[int]:
        """The processes of the web, the jobs and NATS."""
        return [pid for name, pid in self._installation.processes().items() if name != "PostgreSQL"]

    def database(self) -> Sequence[int]:
        """The processes of PostgreSQL."""
        return [self._installation.processes()["PostgreSQL"]]

    def keep(self) -> None:
        """Start again what died, on the core that serves."""
        with self._serving():
            self._installation.watch_once()

    def break_down(self, fault: Fault) -> None:
        """Let this go wrong now, to a process that we started."""
        with self._serving():
            self._breaker.break_down(fault, self._installation.processes())

    def check_ledger(self, played: Played) -> Reckoned:
        """Look for everything that was acknowledged."""
        receipts = [(receipt, self._players[name]) for receipt, name in played.receipts]
        with self._steps.step(f"Looking for {len(receipts):,} acknowledged writes"):
            return asyncio.run(check_ledger(self.target, receipts))

    @contextmanager
    def _serving(self) -> Iterator[None]:
        """What is started meanwhile shares one core; we ourselves go back to the others."""
        if self.playing_core is None:
            yield
            return
        os.sched_setaffinity(0, {self._cores[SERVING_CORE]})
        try:
            yield
        finally:
            os.sched_setaffinity(0, {self.playing_core})

    async def _prepare(self) -> None:
        settings = self._installation.settings
        hashed = hash_password(PASSWORD)
        async with jobs_pool(settings) as pool:
            async with pool.begin(reading_only=True) as tx:
                self._schools = [(school, hosts[0]) for school, hosts in await queries.list_schools(tx)]
            for school, _host in self._schools:
                async with pool.begin((school.id,), school.id) as tx:
                    await give_everybody_password(tx, school.id, hashed)
        self.hosts = [host for _, host in self._schools]
        self.sources = tuple(attacking_sources(self.hosts, ATTACKERS))
        first = await self._devices(1)
        self._players = {f"{player.host}/{player.sign_in_name}": player for player in first}
        self.names = [player.sign_in_name for player in first][:NAMES_TRIED]
        self._links = await look_around(self.target, first)
        for player in first:
            found = self._links.get((player.host, player.sign_in_name))
            player.folder = found.folder if found else ""

    async def _invite(self, devices: int) -> None:
        players = await self._devices(max(1, round(devices / len(self._players))))
        # A file of its own each time: generators keep what they have read.
        self._casts += 1
        self.cast = self._folder / f"cast-{self._casts}.jsonl"
        write_cast(self.cast, players, self._links)

    async def _devices(self, each: int) -> list[Player]:
        settings = self._installation.settings
        jar, now = CookieJar(settings), clock_from(settings.clock).now()
        until = now + timedelta(days=settings.refresh_days)
        players: list[Player] = []
        async with jobs_pool(settings) as pool:
            for school, host in self._schools:
                async with pool.begin((school.id,), school.id) as tx:
                    devices = await add_devices(tx, school.id, each, at=now, until=until)
                players += [_player(device, host, jar, now.timestamp()) for device in devices]
        return players


def _player(device: Device, host: str, jar: CookieJar, now_s: float) -> Player:
    token = RefreshToken.issue(device.session_id, 1, device.secret)
    return Player(
        role=device.role.value,
        host=host,
        sign_in_name=device.sign_in_name,
        password=PASSWORD,
        source=source_of(host, device.sign_in_name, device.role.value),
        cookies={"refresh": token.text(), "device": jar.device_pass(device.device_id, now_s)},
    )


@contextmanager
def _stage(console: Console, pupils: int) -> Iterator[OwnStage]:
    """A stage in a folder of its own, which goes afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="firstbell-rehearsal-"))
    stage = OwnStage(folder, console, pupils)
    try:
        stage.open()
        yield stage
    finally:
        stage.close()
        shutil.rmtree(folder, ignore_errors=True)


def _check_loopback(target: Target) -> None:
    if not ip_address(target.host).is_loopback:
        raise OperatorError(f"{target.host} is not this machine.")
