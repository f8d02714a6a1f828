"""Plays a step many times and says what it cost."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import quantiles

from firstbell.rehearsal.bench.connection import Connection
from firstbell.rehearsal.bench.meter import CpuReading

IN_FLIGHT = 4
"""Requests at once: enough that the server always has the next one, few enough that p50 is no queue."""

SETTLE_S = 0.1
"""After the last answer: the server still writes its log."""

Play = Callable[[Connection, int], Awaitable[int]]
"""Plays a step once as participant number N over a connection; returns the bytes that came back."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that people do in the morning. One pass plays it `rounds` times, `at_once` at the same time."""

    name: str
    play: Play
    rounds: int
    at_once: int = IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Figures:
    """What a step cost on average, per time that it was played.

    CPU time is all that the processes used meanwhile, with what they do whether somebody asks or not: the gate's ticks,
    the jobs, NATS.
    """

    app_cpu_us: float
    db_cpu_us: float
    p50_ms: float
    p95_ms: float
    statements: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Servers:
    """The processes that answer: ours (and NATS), and PostgreSQL; `statements` counts what ran since the start."""

    host: str
    port: int
    app: Sequence[int]
    database: Sequence[int]
    statements: Callable[[], int]


async def play(step: Step, servers: Servers) -> Figures:
    """Play one pass of `step`, each time as the next participant.

    Raises:
        AnswerError: an answer was not the one that the step expects.
    """
    connections = [await Connection.open(servers.host, servers.port) for _ in range(step.at_once)]
    turns = count()
    seconds: list[float] = []
    sizes: list[int] = []

    async def take_turns(connection: Connection) -> None:
        while (turn := next(turns)) < step.rounds:
            started = time.perf_counter()
            sizes.append(await step.play(connection, turn))
            seconds.append(time.perf_counter() - started)

    statements = servers.statements()
    app, database = CpuReading.now(servers.app), CpuReading.now(servers.database)
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(take_turns(connection))
    await asyncio.sleep(SETTLE_S)
    app_ns, database_ns = CpuReading.now(servers.app).since(app), CpuReading.now(servers.database).since(database)
    for connection in connections:
        connection.close()
    p50_s, p95_s = _percentiles(seconds)
    return Figures(
        app_cpu_us=round(app_ns / step.rounds / 1_000, 1),
        db_cpu_us=round(database_ns / step.rounds / 1_000, 1),
        p50_ms=round(p50_s * 1_000, 2),
        p95_ms=round(p95_s * 1_000, 2),
        statements=round((servers.statements() - statements) / step.rounds, 2),
        bytes=round(sum(sizes) / step.rounds),
    )


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 95th percentile."""
    if len(seconds) == 1:
        return seconds[0], seconds[0]
    parts = quantiles(seconds, n=100, method="inclusive")
    return parts[49], parts[94]
