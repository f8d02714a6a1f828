"""An installation that only one rehearsal uses: its world, its people, its processes on a core of their own."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from firstbell.cli import with_running_clock
from firstbell.cli.ending import end_undisturbed
from firstbell.cli.installation import Installation
from firstbell.cli.progress import Steps
from firstbell.cli.school import jobs_pool
from firstbell.domains.people import queries
from firstbell.domains.people.access import CookieJar
from firstbell.domains.people.model import RefreshToken, School
from firstbell.domains.people.queries.rehearsing import Device, add_devices, give_everybody_password
from firstbell.kernel.clock import clock_from
from firstbell.kernel.engines import EngineError, Engines, free_port
from firstbell.kernel.passwords import hash_password
from firstbell.rehearsal.bench.connection import browser_request
from firstbell.rehearsal.cast import (
    find_asset,
    look_around,
    other_sources,
    school_sources,
    source_of,
    write_cast,
)
from firstbell.rehearsal.conductor import Played
from firstbell.rehearsal.edge import Edge, find_haproxy
from firstbell.rehearsal.faults import Breaker
from firstbell.rehearsal.ledger import Reckoned, check_ledger
from firstbell.rehearsal.load.arms import Arms
from firstbell.rehearsal.load.attackers import flood_requests, spray_requests
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player
from firstbell.rehearsal.pricing import Refuser
from firstbell.rehearsal.scenarios.scenario import Fault
from firstbell.settings import read_settings

MORNING = "2026-11-19T08:20:00+01:00"
"""A Thursday, ten minutes before the bell."""

PASSWORD = "de-bel-gaat-om-half-negen"  # noqa: S105 - of invented people, in a world that only this machine reaches
FOLDERS = "firstbell-rehearsal-"
ATTACKERS = 4_000
"""Addresses that attackers have beside those of the schools."""

EDGE_PRICED_PER_S = 10_000.0
"""What the edge is made for: an attack at about ten times what a core serves."""

FLOODING = 8
"""Of them, those that flood the edge while its refusals are priced."""

NAMES_TRIED = 500
SERVING_CORE, PLAYING_CORE = 0, 1


class OwnStage:
    """A whole installation in a folder of its own. What serves shares one core; the load has another."""

    def __init__(self, folder: Path, console: Console, pupils: int, *, has_edge: bool = False) -> None:
        if has_edge:
            find_haproxy()
        self.has_edge = has_edge
        self._steps = Steps(console)
        self._pupils = pupils
        settings = replace(
            with_running_clock(replace(read_settings(), clock=MORNING)), data_dir=folder, host="127.0.0.1",
            port=free_port(), workers=1, drain_pause_ms=0, trusted_proxies="127.0.0.1" if has_edge else "",
        )  # fmt: skip
        self._edges = ExitStack()
        self.target = Target(settings.host, settings.port)
        self._installation = Installation(settings, self._steps, console.print)
        self._breaker = Breaker(folder)
        self._cores = sorted(os.sched_getaffinity(0))
        self.playing_core = self._cores[PLAYING_CORE] if len(self._cores) > 1 else None
        self._folder = folder
        self._casts = 0
        self.cast = folder
        self.hosts: Sequence[str] = ()
        self.arms = Arms((), (), (), (), (), "", "")
        self._players: dict[str, Player] = {}
        self._schools: list[tuple[School, str]] = []

    def open(self) -> None:
        """Start everything, fill the world, and look who is there."""
        with self._serving():
            self._installation.start_engines()
            self._installation.fill(["demo-school", "--pupils", str(self._pupils)])
            self._installation.serve()
        asyncio.run(self._prepare())
        if self.has_edge:
            self._start_edge()

    def close(self) -> None:
        """End everything."""
        self._breaker.mend()
        self._edges.close()
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

    @contextmanager
    def refusing(self) -> Iterator[Refuser]:
        """Beside the other, a web whose gate has no room for anybody; with the edge, another HAProxy before it."""
        full = replace(
            self._installation.settings, port=free_port(), gate_slots_start=0, gate_slots_min=0, gate_slots_max=0,
            gate_queue_max=0,
        )  # fmt: skip
        with ExitStack() as stack:
            with self._steps.step("Starting a web that is full"), self._serving():
                process = stack.enter_context(self._installation.another_web(full))
            if self.has_edge:
                edge = stack.enter_context(self._edge_before(full.port, "edge-refusing"))
                # Few addresses: what a flood costs once they have used up their share.
                arms = replace(self.arms, refused=self.arms.floods, other_sources=self.arms.other_sources[:FLOODING])
                yield Refuser(Target(full.host, edge.port), [edge.pid], arms, EDGE_PRICED_PER_S)
            else:
                yield Refuser(Target(full.host, full.port), [process], self.arms)

    def check_ledger(self, played: Played) -> Reckoned:
        """Look for everything that was acknowledged."""
        receipts = [(receipt, self._players[name]) for receipt, name in played.receipts]
        with self._steps.step(f"Looking for {len(receipts):,} acknowledged writes"):
            return asyncio.run(check_ledger(self.target, receipts))

    def _start_edge(self) -> None:
        """Put HAProxy in front, on the core of the load, and aim at it from now on."""
        edge = self._edges.enter_context(self._edge_before(self.target.port, "edge"))
        self.target = Target(self.target.host, edge.port)

    @contextmanager
    def _edge_before(self, port: int, name: str) -> Iterator[Edge]:
        folder = self._folder / name
        folder.mkdir()
        edge = Edge(folder, port, self.hosts)
        try:
            with self._steps.step("Starting HAProxy"):
                edge.start()
                edge.follow_gate()
            yield edge
        finally:
            edge.stop()

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
        first = await self._devices(1)
        self._players = {f"{player.host}/{player.sign_in_name}": player for player in first}
        self.arms = await self._arms(first)
        self._links = await look_around(self.target, first)
        for player in first:
            found = self._links.get((player.host, player.sign_in_name))
            player.folder = found.folder if found else ""

    async def _arms(self, people: Sequence[Player]) -> Arms:
        floods = flood_requests(self.hosts)
        known = [
            # Without its session: whoever is refused with it loses nothing.
            browser_request("GET", player.host, "/", {"device": player.cookies["device"]})
            for player in people[:NAMES_TRIED]
        ]
        return Arms(
            floods=floods,
            sprays=spray_requests([(player.host, player.sign_in_name) for player in people[:NAMES_TRIED]]),
            refused=(*known, *(floods * (len(known) // len(floods)))),
            own_sources=school_sources(self.hosts),
            other_sources=tuple(other_sources(ATTACKERS)),
            slow_host=self.hosts[0],
            slow_path=await find_asset(self.target, self.hosts[0]),
        )

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
def own_stage(console: Console, pupils: int, *, has_edge: bool = False) -> Iterator[OwnStage]:
    """A stage in a folder of its own, which goes afterwards, as does what a killed rehearsal left."""
    _clear_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=FOLDERS))
    stage = OwnStage(folder, console, pupils, has_edge=has_edge)
    try:
        stage.open()
        yield stage
    finally:
        end_undisturbed()
        stage.close()
        shutil.rmtree(folder, ignore_errors=True)


def _clear_leftovers() -> None:
    """End what rehearsals left that were killed, and remove their folders; one that still runs holds its folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        if folder.stat().st_uid != os.geteuid() or not (folder / "run").exists():
            continue
        engines = Engines(folder)
        with suppress(EngineError):
            engines.take()
            engines.stop()
            shutil.rmtree(folder, ignore_errors=True)
