"""`firstbell bench`: what the steps of a morning cost on this machine."""

import asyncio
import hashlib
import math
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from firstbell.cli import app
from firstbell.cli.demo_school import PASSWORD, SEED
from firstbell.cli.installation import Installation
from firstbell.cli.progress import Advance, Steps
from firstbell.cli.rehearse import PUPILS as REHEARSAL_PUPILS
from firstbell.cli.rehearse import rehearse_all
from firstbell.domains.people import queries
from firstbell.domains.people.access import CookieJar
from firstbell.domains.people.actions import Sessions, SignIn
from firstbell.domains.people.model import School, sign_in_key
from firstbell.kernel.clock import Ids, clock_from
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.engines import free_port
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.migrations import migration_files
from firstbell.kernel.passwords import hash_password, matches
from firstbell.rehearsal.bench.connection import AnswerError
from firstbell.rehearsal.bench.meter import RequestLog, memory_bytes, process_tree
from firstbell.rehearsal.bench.morning import Morning, Participant
from firstbell.rehearsal.bench.report import Report
from firstbell.rehearsal.bench.steps import Figures, Servers, Step, play
from firstbell.rehearsal.world import Person, Role, generate_world
from firstbell.rehearsal.world.model import SECONDARY
from firstbell.rehearsal.world.schools import PUPILS_MIN
from firstbell.settings import Settings, read_settings

MORNING = "2026-11-19T08:20:00+01:00"
"""A Thursday, ten minutes before the bell: every run plays the same morning, so that a filled world can be kept."""

PUPILS = 20_000
PARTICIPANTS = 2_000
CACHE = Path(".cache/bench")
WARM_PASSES = 5
"""Of which the cheapest counts, each an average over everybody: what else runs on the machine can only add to it."""
HASHES = 10
STATEMENT_TIMEOUT_MS = 60_000
"""Nobody waits for these statements but whoever started this."""


@app.command()
def bench(
    *,
    json: Annotated[Path | None, typer.Option(help="File for the figures.")] = None,
    pupils: Annotated[
        int | None,
        typer.Option(min=PUPILS_MIN, help=f"Pupils of the world: {PUPILS:,}, to rehearse {REHEARSAL_PUPILS:,}."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each step is played.")] = PARTICIPANTS,
    cache: Annotated[Path, typer.Option(help="Folder that keeps the filled world for the next run.")] = CACHE,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Play all rehearsals instead.")] = False,
    minutes: Annotated[float | None, typer.Option(min=0.05, max=60, help="Longest rehearsal.")] = None,
    edge: Annotated[bool, typer.Option("--edge", help="Rehearse with the real HAProxy in front.")] = False,
    people_per_second_max: Annotated[
        float | None, typer.Option(min=1, help="Never more people a second: a trial that proves nothing.")
    ] = None,
) -> None:
    """Start the whole system on a generated world, play the steps of a morning, and print what each cost."""
    console = Console()
    if rehearse:
        benchmark = rehearse_all(
            console, minutes, pupils or REHEARSAL_PUPILS, edge=edge, people_per_s_max=people_per_second_max
        )
        console.print(benchmark.table())
        if json is not None:
            benchmark.write_json(json)
        return
    _measure_steps(console, json, pupils or PUPILS, rounds, cache)


def _measure_steps(console: Console, json: Path | None, pupils: int, rounds: int, cache: Path) -> None:
    steps = Steps(console)
    folder = _folder(cache, pupils)
    settings = replace(
        read_settings(),
        data_dir=folder.absolute(),
        port=free_port(),
        workers=1,
        clock=MORNING,
        drain_pause_ms=0,
        # One machine asks for thousands of new devices, which from one address would be an attack.
        strangers_per_second_min=math.inf,
    )
    installation = Installation(settings, steps, console.print)
    try:
        installation.start_engines()
        if not asyncio.run(_schools(installation.settings)):
            installation.fill(["demo-school", "--pupils", str(pupils)])
        with steps.step("Signing everybody in"):
            morning = asyncio.run(_sign_in(installation.settings, pupils))
        (folder / "serve.log").unlink(missing_ok=True)
        installation.serve()
        measured = asyncio.run(_measure(installation, morning, rounds, steps))
    except* AnswerError as wrong:
        raise OperatorError(str(wrong.exceptions[0])) from None
    finally:
        installation.stop()
    report = Report(
        warm=measured.warm,
        cold=measured.cold,
        pupils=pupils,
        participants=len(morning.pupils),
        memory_mb=round(measured.memory_bytes / 1_000_000, 1),
        hash_us=round(_hash_us(), 1),
        measured_on=datetime.now(UTC).date(),
    )
    for table in report.tables():
        console.print(table)
    if json is not None:
        report.write_json(json)


def _folder(cache: Path, pupils: int) -> Path:
    """The data folder for this world and this code. What older code filled is removed."""
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for path in (*migration_files(), *sorted(package.glob("*/**/*.py"))):
        digest.update(path.read_bytes())
    folder = cache / f"{pupils}-{digest.hexdigest()[:12]}"
    for other in set(cache.glob(f"{pupils}-*")) - {folder}:
        shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _sign_in(settings: Settings, pupils: int) -> Morning:
    """Sessions for everybody who takes part: real rows and tokens, without a hash for each."""
    world = generate_world(SEED, pupils, today=clock_from(settings.clock).now().date())
    homes = {school.slug: school for school in await _schools(settings)}
    pupils_in: list[Participant] = []
    teachers_in: list[Participant] = []
    async with _pool(settings) as pool:
        host = _Host(pool, settings)
        for school in world.schools:
            free = PARTICIPANTS - len(pupils_in)
            if free and school.level == SECONDARY:
                home = homes[school.slug]
                teachers = [person for person in school.staff if person.role is Role.TEACHER]
                pupils_in += await host.sign_in(home, school.host, school.pupils[:free])
                teachers_in += await host.sign_in(home, school.host, teachers)
    return Morning(_mixed(pupils_in), _mixed(teachers_in), PASSWORD)


class _Host:
    """Lets people of the world in, as if they had signed in before."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._clock = clock_from(settings.clock)
        self._pool = pool
        self._ids = Ids(self._clock)
        self._jar = CookieJar(settings)
        self._sessions = Sessions(settings, self._clock, self._ids)

    async def sign_in(self, school: School, host: str, people: Sequence[Person]) -> list[Participant]:
        """Start a session for each of `people`."""
        async with self._pool.begin((school.id,), school.id) as tx:
            return [await self._start_session(tx, school.id, host, person.sign_in_name) for person in people]

    async def _start_session(self, tx: Transaction, school_id: UUID, host: str, name: str) -> Participant:
        credentials = await queries.find_credentials(tx, school_id, sign_in_key(name))
        if credentials is None:
            raise OperatorError(f"{name} is not in the world that was filled in.")
        sign_in = SignIn(school_id, self._ids.new(), "Chrome", is_shared_device=False)
        session = await self._sessions.start(tx, sign_in, credentials)
        if session is None:
            raise OperatorError(f"{name} cannot sign in.")
        device_pass = self._jar.device_pass(sign_in.device_id, self._clock.seconds())
        return Participant(host, name, {"refresh": session.token.text(), "device": device_pass})


def _mixed(people: list[Participant]) -> list[Participant]:
    """Everybody once, so that one after the other is of another class: by a stride without a common divisor."""
    stride = next(
        stride for stride in range(len(people) // 3 + 1, len(people) + 2) if math.gcd(stride, len(people)) == 1
    )
    return [people[index * stride % len(people)] for index in range(len(people))]


@dataclass(frozen=True, slots=True)
class _Measured:
    cold: dict[str, Figures]
    warm: dict[str, Figures]
    memory_bytes: int


async def _measure(installation: Installation, morning: Morning, rounds: int, show: Steps) -> _Measured:
    log = RequestLog(installation.settings.data_dir / "serve.log")
    processes = installation.processes()
    database = [processes.pop("PostgreSQL")]
    servers = Servers(
        installation.settings.host,
        installation.settings.port,
        app=list(processes.values()),
        database=database,
        statements=log.statements,
    )
    steps = morning.steps(rounds)
    with show.step("Everybody's first visit", len(steps)) as advance:
        cold = {step.name: await _played(step, servers, advance) for step in steps}
    with show.step("The same again, which counts", len(steps) * WARM_PASSES) as advance:
        passes = [[await _played(step, servers, advance) for step in steps] for _ in range(WARM_PASSES)]
    warm = {step.name: min(played, key=_cpu_us) for step, *played in zip(steps, *passes, strict=True)}
    return _Measured(cold, warm, memory_bytes(process_tree([*servers.app, *servers.database])))


async def _played(step: Step, servers: Servers, advance: Advance) -> Figures:
    figures = await play(step, servers)
    advance(1)
    return figures


def _cpu_us(figures: Figures) -> float:
    return figures.app_cpu_us + figures.db_cpu_us


def _hash_us() -> float:
    """CPU microseconds that checking one password takes, without a server."""
    hashed = hash_password(PASSWORD)
    began = time.thread_time()
    for _ in range(HASHES):
        matches(hashed, PASSWORD)
    return (time.thread_time() - began) / HASHES * 1_000_000


async def _schools(settings: Settings) -> list[School]:
    async with _pool(settings) as pool, pool.begin(reading_only=True) as tx:
        return [school for school, _hosts in await queries.list_schools(tx)]


@asynccontextmanager
async def _pool(settings: Settings) -> AsyncIterator[Pool]:
    pool = await Pool.open(settings.database_jobs_url, connections_max=1, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    try:
        yield pool
    finally:
        await pool.close()
