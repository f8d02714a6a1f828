"""`firstbell rehearse`: a school morning, played on an installation of its own; ends in a report."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from firstbell.cli import app
from firstbell.cli.ending import Ended, end_on_signals
from firstbell.cli.remote_stage import RemoteStage, aim_at
from firstbell.cli.stage import OwnStage, own_stage
from firstbell.kernel.errors import OperatorError
from firstbell.rehearsal.bench.connection import AnswerError
from firstbell.rehearsal.benchmark import Benchmark
from firstbell.rehearsal.conductor import Conductor, Limits, NoCapacityError, Played
from firstbell.rehearsal.reckoning import reckon
from firstbell.rehearsal.report import write_report
from firstbell.rehearsal.results import STOLEN_MAX, Capacity, Prices, Results
from firstbell.rehearsal.scenarios import SCENARIOS
from firstbell.rehearsal.scenarios.scenario import Scenario
from firstbell.rehearsal.screen import Screen, verdict_table
from firstbell.rehearsal.world.schools import PUPILS_MIN

PUPILS = 1_200
DEVICES_MAX = 400_000
"""Signed-in devices that are made beforehand; after the last whoever has left comes again, a night later."""

DEVICES_MIN = 5_000
GATE_ROUNDS = 12
"""So often both webs are asked a block of pages to find what the gate adds; the median of as many is steady."""


@app.command()
def rehearse(
    scenario: Annotated[str, typer.Argument(help=f"One of {', '.join(SCENARIOS)}.")],
    *,
    minutes: Annotated[float | None, typer.Option(min=0.05, max=60, help="How long, beside finding capacity.")] = None,
    json: Annotated[Path | None, typer.Option(help="File for the figures.")] = None,
    report: Annotated[Path | None, typer.Option(help="File for the report, one page of HTML.")] = None,
    pupils: Annotated[int, typer.Option(min=PUPILS_MIN, help="Pupils of the world.")] = PUPILS,
    edge: Annotated[bool, typer.Option("--edge", help="Put the real HAProxy in front.")] = False,
    people_per_second_max: Annotated[
        float | None, typer.Option(min=1, help="Never more people a second: a trial that proves nothing.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="HOST:PORT of an installation that runs already.")] = None,
    target_again: Annotated[str | None, typer.Option(help="The same again, when it is another machine.")] = None,
    cast: Annotated[Path | None, typer.Option(help="File of firstbell cast, from that installation.")] = None,
) -> None:
    """Play SCENARIO on an installation of its own, on one core; exit status 1 when one of its bars is missed."""
    chosen = SCENARIOS.get(scenario)
    if chosen is None:
        raise OperatorError(f"{scenario!r} is not a scenario; there are: {', '.join(SCENARIOS)}.")
    console = Console()
    stages: AbstractContextManager[OwnStage | RemoteStage]
    if target is None:
        stages = own_stage(console, pupils, has_edge=edge)
    elif cast is None:
        raise OperatorError("Who comes to that installation is in a file of firstbell cast; name it with --cast.")
    else:
        stages = nullcontext(RemoteStage(aim_at(target, target_again), cast, chosen))
    end_on_signals()
    with (
        _told_in_one_sentence(),
        stages as stage,
        Rehearsal(stage, console, people_per_second_max) as rehearsal,
    ):
        played, results = rehearsal.play(chosen, minutes or chosen.minutes)
    console.print(verdict_table(chosen, results))
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    if report is not None:
        write_report(report, played, results)
    if not all(bar.is_held(results) for bar in chosen.bars_of(edge=results.edge)):
        raise typer.Exit(1)


def rehearse_all(
    console: Console, minutes: float | None, pupils: int, *, edge: bool, people_per_s_max: float | None
) -> Benchmark:
    """Play every scenario on one stage, and measure what the gate costs."""
    end_on_signals()
    is_trial = people_per_s_max is not None
    rehearsals: dict[str, Results] = {}
    with (
        _told_in_one_sentence(),
        own_stage(console, pupils, has_edge=edge) as stage,
        Rehearsal(stage, console, people_per_s_max) as own,
    ):
        gate_us = stage.gate_cost_us(1 if is_trial else GATE_ROUNDS)
        for scenario in SCENARIOS.values():
            if rehearsals and not is_trial:
                stage.begin_anew()
            _, results = own.play(scenario, min(minutes or scenario.minutes, scenario.minutes))
            console.print(verdict_table(scenario, results))
            rehearsals[scenario.name] = results
    return Benchmark(edge, gate_us, rehearsals)


@contextmanager
def _told_in_one_sentence() -> Iterator[None]:
    """Why rehearsing ended early.

    Raises:
        OperatorError: somebody ended it, or the web did not answer what it must.
    """
    try:
        yield
    except* Ended:
        raise OperatorError("The rehearsal was ended before its time; nothing of it is left.") from None
    except* AnswerError as wrong:
        raise OperatorError(f"The rehearsal cannot go on: {wrong.exceptions[0]}.") from None


class Rehearsal:
    """Plays scenarios on one stage; capacity and prices are found once, at the first."""

    def __init__(self, stage: OwnStage | RemoteStage, console: Console, people_per_s_max: float | None) -> None:
        self._stage = stage
        self._console = console
        self._people_per_s_max = people_per_s_max
        self._devices_min = DEVICES_MIN if people_per_s_max is None else 1
        self._conductor = Conductor(stage, stage.playing_core)
        self._found: tuple[Capacity, Prices | None] | None = None

    def __enter__(self) -> "Rehearsal":
        return self

    def __exit__(self, *_: object) -> None:
        self._conductor.stop()

    def play(self, scenario: Scenario, minutes: float) -> tuple[Played, Results]:
        """Play the whole scenario, and look for everything that was acknowledged.

        Raises:
            OperatorError: this machine serves nobody in time.
        """
        limits = Limits(minutes, self._people_per_s_max)
        screen = Screen(self._console, scenario)
        capacity, prices = self._found = self._found or self._find(screen, limits)
        self._stage.invite(min(DEVICES_MAX, self._devices_min + 2 * self._conductor.people(scenario, capacity, limits)))
        with screen.live(scenario.story):
            played = self._conductor.play(scenario, capacity, prices, limits, screen.watch)
        reckoned = self._stage.check_ledger(played)
        results = reckon(played, edge=self._stage.has_edge, lost=reckoned.lost, duplicates=reckoned.duplicates)
        return played, results

    def _find(self, screen: Screen, limits: Limits) -> tuple[Capacity, Prices | None]:
        self._stage.invite(self._devices_min)
        try:
            with screen.live("Finding the capacity"):
                capacity = self._conductor.find_capacity(limits, screen.watch)
        except NoCapacityError as error:
            raise OperatorError(
                "Not even a handful of people was served in time; something else keeps this machine busy."
            ) from error
        prices = self._conductor.find_prices(capacity, limits)
        self._console.print(
            f"Capacity: {capacity.people_per_s:,.0f} people a second, {capacity.steps_per_s:,.0f} steps."
        )
        if capacity.stolen_share > STOLEN_MAX:
            self._console.print(
                f"The host of this virtual machine took {capacity.stolen_share:.0%} of its time meanwhile, so that "
                "what follows is not valid. Rehearse at another hour.",
                style="yellow",
            )
        if prices is not None:
            self._console.print(
                f"CPU of a served step {prices.served_us:,.0f} us, of a refusal {prices.refused_kept_us:,.0f} us on a "
                f"kept connection, {prices.refused_new_us:,.0f} us on a new one."
            )
        return capacity, prices
