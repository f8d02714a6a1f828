"""An installation that only one rehearsal uses: its world, its people, its processes on a core of their own."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from firstbell.cli import with_running_clock
from firstbell.cli.cast import schools_of, sign_in_devices
from firstbell.cli.ending import end_undisturbed
from firstbell.cli.installation import Installation
from firstbell.cli.progress import Steps
from firstbell.cli.school import jobs_pool
from firstbell.domains.people.model import School
from firstbell.domains.people.queries.rehearsing import give_everybody_password
from firstbell.kernel.engines import EngineError, Engines, free_port
from firstbell.kernel.passwords import hash_password
from firstbell.kernel.processes import birth_of
from firstbell.rehearsal.bench.awake import Waker, WorkReading, kept_awake
from firstbell.rehearsal.bench.meter import process_tree
from firstbell.rehearsal.cast import (
    find_asset,
    look_around,
    make_arms,
    write_cast,
)
from firstbell.rehearsal.conductor import Played
from firstbell.rehearsal.edge import Edge, find_haproxy, new_edge_key
from firstbell.rehearsal.faults import Breaker
from firstbell.rehearsal.gate_cost import Web, gate_cost_us
from firstbell.rehearsal.ledger import Reckoned, check_ledger
from firstbell.rehearsal.load.arms import Arms
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player
from firstbell.rehearsal.pricing import Refuser
from firstbell.rehearsal.scenarios.scenario import Fault
from firstbell.settings import read_settings

MORNING = "2026-11-19T08:20:00+01:00"
"""A Thursday, ten minutes before the bell."""

PASSWORD = "de-bel-gaat-om-half-negen"  # noqa: S105 - of invented people, in a world that only this machine reaches
FOLDERS = "firstbell-rehearsal-"
DRAIN_SECONDS = 5
"""Nobody waits for an answer when a rehearsal ends."""

EDGE_PRICED_PER_S = 10_000.0
"""What the edge is made for: an attack at about ten times what a core serves."""

FLOODING = 8
"""Addresses that flood the edge while its refusals are priced."""

PATIENCE_MS = 60_000
"""Of a gate that must not refuse: longer than anybody waits, on any machine."""

GATE_PEOPLE = 500
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
            port=free_port(), workers=1, drain_pause_ms=0, drain_seconds_max=DRAIN_SECONDS,
            trusted_proxies="127.0.0.1" if has_edge else "", edge_key=new_edge_key() if has_edge else "",
        )  # fmt: skip
        self._edges = ExitStack()
        self.target = Target(settings.host, settings.port)
        self._installation = Installation(settings, self._steps, console.print)
        self._breaker = Breaker(folder)
        self.cores = sorted(os.sched_getaffinity(0))[: PLAYING_CORE + 1]
        self.playing_core = self.cores[PLAYING_CORE] if len(self.cores) > 1 else None
        self._folder = folder
        self._casts = 0
        self.cast = folder
        self.people: Mapping[str, int] = {}
        self.arms = Arms((), (), (), (), (), "", "")
        self._waker: Waker | None = None
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

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Meanwhile its cores do not sleep, and it is known how fast the one is that serves."""
        with kept_awake(self.cores) as wakers:
            self._waker = wakers[SERVING_CORE]
            yield

    def close(self) -> None:
        """End everything, also a worker that outlives its web: one that was started after a fault may."""
        born = {pid: birth_of(pid) for pid in process_tree(self._installation.processes().values())}
        self._breaker.mend()
        self._edges.close()
        self._installation.stop()
        for pid, birth in born.items():
            if birth and birth_of(pid) == birth:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

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

    def work(self) -> WorkReading:
        """What the same piece of work has taken the core that serves."""
        return self._waker.work() if self._waker else WorkReading()

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
                yield Refuser(Target(full.host, edge.port), arms, [process], [edge.pid], EDGE_PRICED_PER_S)
            else:
                yield Refuser(Target(full.host, full.port), self.arms, [process])

    def gate_cost_us(self, rounds: int) -> float:
        """CPU that the gate adds to an admitted request: the same pages from a web with a gate, and from one without.

        The gate works and refuses nobody, however slow this machine is.
        """
        bare = replace(self._installation.settings, port=free_port())
        patient = replace(
            bare, port=free_port(), gate_lag_ms_max=PATIENCE_MS, gate_queuing_ms_max=PATIENCE_MS,
            gate_wait_ms_max=PATIENCE_MS, gate_wait_standing_ms_max=PATIENCE_MS,
        )  # fmt: skip
        with ExitStack() as stack:
            with self._steps.step("Starting a web with a patient gate and one without a gate"), self._serving():
                gated = stack.enter_context(self._installation.another_web(patient, name="patient"))
                process = stack.enter_context(self._installation.another_web(bare, "--without-gate"))
            people = list(self._players.values())[:GATE_PEOPLE]
            return asyncio.run(gate_cost_us(Web(patient.port, gated), Web(bare.port, process), people, rounds))

    def begin_anew(self) -> None:
        """Start the web again, and the edge, so that nobody waits who came to an earlier scenario.

        Those who left with it would be called and not come, and hold entries for ten minutes.
        """
        with self._steps.step("Starting the web again"), self._serving():
            self._installation.serve_anew()
        if self.has_edge:
            self._edges.close()
            self._start_edge()

    def check_ledger(self, played: Played) -> Reckoned:
        """Look for everything that was acknowledged."""
        receipts = [(receipt, self._players[name]) for receipt, name in played.receipts]
        with self._steps.step(f"Looking for {len(receipts):,} acknowledged writes"):
            return asyncio.run(check_ledger(self.target, receipts))

    def _start_edge(self) -> None:
        """Put HAProxy in front, on the core of the load, and aim at it from now on."""
        settings = self._installation.settings
        edge = self._edges.enter_context(self._edge_before(settings.port, "edge"))
        self.target = Target(settings.host, edge.port)

    @contextmanager
    def _edge_before(self, port: int, name: str) -> Iterator[Edge]:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))
        edge = Edge(folder, port, list(self.people), key=self._installation.settings.edge_key)
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
        os.sched_setaffinity(0, {self.cores[SERVING_CORE]})
        try:
            yield
        finally:
            os.sched_setaffinity(0, {self.playing_core})

    async def _prepare(self) -> None:
        settings = self._installation.settings
        hashed = hash_password(PASSWORD)
        self._schools = await schools_of(settings)
        async with jobs_pool(settings) as pool:
            for school, _host in self._schools:
                async with pool.begin((school.id,), school.id) as tx:
                    await give_everybody_password(tx, school.id, hashed)
        first = await self._devices(1)
        self._players = {f"{player.host}/{player.sign_in_name}": player for player in first}
        hosts = [host for _, host in self._schools]
        of_host = Counter(player.host for player in first)
        self.people = {host: of_host[host] for host in hosts}
        self.arms = make_arms(hosts, first, await find_asset(self.target, hosts[0]))
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
        return await sign_in_devices(self._installation.settings, self._schools, each, PASSWORD)


@contextmanager
def own_stage(console: Console, pupils: int, *, has_edge: bool = False) -> Iterator[OwnStage]:
    """A stage in a folder of its own, which goes afterwards, as does what a killed rehearsal left."""
    clear_leftovers(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=FOLDERS))
    stage = OwnStage(folder, console, pupils, has_edge=has_edge)
    try:
        stage.open()
        with stage.awake():
            yield stage
    finally:
        end_undisturbed()
        stage.close()
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers(where: Path) -> None:
    """In `where`, end what killed rehearsals left, and remove their folders; whoever still runs holds its own."""
    for folder in where.glob(f"{FOLDERS}*"):
        if folder.stat().st_uid != os.geteuid() or not (folder / "run").exists():
            continue
        engines = Engines(folder)
        with suppress(EngineError):
            engines.take()
            engines.stop()
            shutil.rmtree(folder, ignore_errors=True)
