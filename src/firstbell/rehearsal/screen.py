"""What a rehearsal shows in the terminal while it is played, and its verdict."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from firstbell.rehearsal.conductor import Sample
from firstbell.rehearsal.load.tally import Tally, percentile
from firstbell.rehearsal.results import Results
from firstbell.rehearsal.scenarios.scenario import Scenario

SHOWN_SECONDS = 12
"""The last seconds that stay on the screen."""

PLAIN_EVERY = 10
"""Without a terminal a line is printed each so many seconds. The present second is not told yet."""


class Screen:
    """Shows the present phase, second by second."""

    def __init__(self, console: Console, scenario: Scenario) -> None:
        self._console = console
        self._scenario = scenario
        self._live: Live | None = None
        self._words = ""

    @contextmanager
    def live(self, words: str) -> Iterator[None]:
        """Show what is watched meanwhile."""
        self._words = words
        self._console.print(words, highlight=False)
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=2, transient=True) as self._live:
            yield
        self._live = None

    def watch(self, phase: str, second: int, share: float, tally: Tally, samples: list[Sample]) -> None:
        """One more second was played."""
        if self._live is not None:
            self._live.update(_seconds_table(f"{phase}, {share:.0%}", second, tally, samples))
        elif second % PLAIN_EVERY == 0:
            figures = ", ".join(f"{name} {value}" for name, value in _second(second - 2, tally, samples).items())
            self._console.print(f"{phase}, second {second}: {figures}", highlight=False)


def _seconds_table(title: str, second: int, tally: Tally, samples: list[Sample]) -> Table:
    table = Table("second", title=title)
    rows = [
        (number, _second(number, tally, samples)) for number in range(max(0, second - 1 - SHOWN_SECONDS), second - 1)
    ]
    for heading in rows[-1][1] if rows else ():
        table.add_column(heading, justify="right")
    for number, figures in rows:
        table.add_row(str(number), *figures.values())
    return table


def _second(second: int, tally: Tally, samples: list[Sample]) -> dict[str, str]:
    latencies = tally.latencies(lambda key: key.second == second)
    sample = next((sample for sample in reversed(samples) if sample.second == second), None)
    counts = {
        "offered": sum(number for key, number in tally.offered.items() if key.second == second),
        "served": latencies.total(),
        "refused": sum(number for key, number in tally.refused.items() if key.second == second),
        "errors": tally.error_seconds[second],
        "waiting": tally.waiting.people - tally.waiting.admitted,
    }
    return {
        **{name: f"{number:,}" for name, number in counts.items()},
        "p99 ms": f"{percentile(latencies, 0.99) * 1_000:,.0f}",
        "cores": f"{sample.application_cores + sample.database_cores:.2f}" if sample else "",
        "stolen": f"{sample.stolen_share:.0%}" if sample else "",
        "MB": f"{sample.memory_mb:,.0f}" if sample else "",
    }


def verdict_table(scenario: Scenario, results: Results) -> Table:
    """The scenario's bars, whether each was held, and why something may not be valid."""
    table = Table("bar", "measured", "wanted", "", title=f"{scenario.name}: {scenario.story}")
    table.caption = "\n".join(results.doubts())
    for bar in scenario.bars_of(edge=results.edge):
        verdict = "[green]held[/]" if bar.is_held(results) else "[red]missed[/]"
        table.add_row(bar.sentence, bar.shown(results), bar.wanted, verdict)
    return table
