"""All rehearsals of one run against what we want to reach: a table for people, JSON for programs."""

from pathlib import Path

import msgspec
from rich.table import Table

from firstbell.rehearsal.bars import Bar
from firstbell.rehearsal.results import Results
from firstbell.rehearsal.scenarios import SCENARIOS

GATE_US_MAX = 30.0
"""CPU that the gate may add to a request that it admits."""


class Row(msgspec.Struct, frozen=True):
    """One thing that must hold. `measured` is None where nothing was measured, which does not hold."""

    scenario: str
    bar: str
    measured: float | None
    wanted: str
    held: bool


class Benchmark(msgspec.Struct, frozen=True):
    """The results by scenario, and the CPU microseconds that the gate adds to an admitted request."""

    edge: bool
    gate_us: float
    rehearsals: dict[str, Results]

    def rows(self) -> list[Row]:
        """Every bar of every scenario."""
        is_held = self.gate_us <= GATE_US_MAX
        wanted = f"at most {GATE_US_MAX:g}"
        rows = [Row("gate", "CPU added to an admitted request, us", self.gate_us, wanted, is_held)]
        for name, results in self.rehearsals.items():
            rows += [_row(name, bar, results) for bar in SCENARIOS[name].bars_of(edge=self.edge)]
        return rows

    def table(self) -> Table:
        """For people."""
        table = Table("scenario", "bar", title=f"To reach {'with the edge' if self.edge else 'alone'}")
        table.add_column("measured", justify="right")
        table.add_column("wanted", justify="right")
        table.add_column("")
        for row in self.rows():
            measured = "not measured" if row.measured is None else f"{row.measured:,.4g}"
            verdict = "[green]held[/]" if row.held else "[red]missed[/]"
            table.add_row(row.scenario, row.bar, measured, row.wanted, verdict)
        return table

    def write_json(self, path: Path) -> None:
        """For programs."""
        whole = {"edge": self.edge, "gate_us": self.gate_us, "to_reach": self.rows(), "rehearsals": self.rehearsals}
        path.write_bytes(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")


def _row(name: str, bar: Bar, results: Results) -> Row:
    return Row(name, bar.sentence, bar.measure(results), bar.wanted, bar.is_held(results))
