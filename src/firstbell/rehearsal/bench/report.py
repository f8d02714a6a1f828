"""The figures of a run: as a table for people, as JSON for programs, and against the bars that we set ourselves."""

import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import msgspec
from rich.table import Table

from firstbell.rehearsal.bench.steps import Figures

_CPUS = Path("/proc/cpuinfo")
_MODEL = re.compile(r"^model name\s*: *(.+)$", re.M)
TODAY_APP_US_MAX, TODAY_DB_US_MAX = 700, 300
REFRESH_US_MAX = 400
DOCUMENT_US_MAX = 500
SIGN_IN_BESIDE_HASH_US_MAX = 3_000
MEMORY_MB_MAX = 400


@dataclass(frozen=True, slots=True)
class Bar:
    """One sentence that holds or not."""

    sentence: str
    measured: float
    most: float

    @property
    def is_held(self) -> bool:
        """True when what was measured is not more than the bar."""
        return self.measured <= self.most


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run. `pupils` are those of the world; `hash_us` is what one password costs without a server."""

    warm: Mapping[str, Figures]
    cold: Mapping[str, Figures]
    pupils: int
    participants: int
    memory_mb: float
    hash_us: float
    measured_on: date

    def bars(self) -> Iterator[Bar]:
        """What must hold, for warm figures."""
        today = self.warm["today_pupil"]
        yield Bar("today_pupil, application", today.app_cpu_us, TODAY_APP_US_MAX)
        yield Bar("today_pupil, database", today.db_cpu_us, TODAY_DB_US_MAX)
        yield Bar("session_refresh, in all", self._whole_us("session_refresh"), REFRESH_US_MAX)
        yield Bar("document_open, in all", self._whole_us("document_open"), DOCUMENT_US_MAX)
        beside_hash_us = round(self._whole_us("sign_in_password") - self.hash_us, 1)
        yield Bar("sign_in_password, beside the hash", beside_hash_us, SIGN_IN_BESIDE_HASH_US_MAX)
        yield Bar("memory of the whole system, MB", self.memory_mb, MEMORY_MB_MAX)

    def write_json(self, path: Path) -> None:
        """Write the warm figures."""
        steps = {name: asdict(figures) for name, figures in self.warm.items()}
        whole = {
            "steps": steps,
            "pupils": self.pupils,
            "memory_mb": self.memory_mb,
            "measured_on": self.measured_on,
            "machine": machine(),
        }
        path.write_bytes(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")

    def tables(self) -> Iterator[Table]:
        """Warm, cold, and the bars."""
        yield _figures_table(f"Warm, {self.participants:,} pupils take part of {self.pupils:,}", self.warm)
        yield _figures_table("Cold, the first visit of everybody after a start", self.cold)
        bars = Table("bar", "measured", "at most", "", title=f"Bars (a hash costs {self.hash_us:,.0f} us)")
        for bar in self.bars():
            bars.add_row(bar.sentence, f"{bar.measured:,.1f}", f"{bar.most:,}", "held" if bar.is_held else "missed")
        yield bars

    def _whole_us(self, step: str) -> float:
        return round(self.warm[step].app_cpu_us + self.warm[step].db_cpu_us, 1)


def machine() -> str:
    """This machine in a few words: its processor, the number of cores, and what runs Python."""
    processor = _MODEL.search(_CPUS.read_text()) if _CPUS.exists() else None
    name = processor[1] if processor else platform.machine()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _figures_table(title: str, steps: Mapping[str, Figures]) -> Table:
    table = Table("step", title=title)
    for heading in ("app us", "db us", "p50 ms", "p95 ms", "statements", "bytes"):
        table.add_column(heading, justify="right")
    for name, figures in steps.items():
        table.add_row(
            name,
            f"{figures.app_cpu_us:,.0f}",
            f"{figures.db_cpu_us:,.0f}",
            f"{figures.p50_ms:,.2f}",
            f"{figures.p95_ms:,.2f}",
            f"{figures.statements:,.1f}",
            f"{figures.bytes:,.0f}",
        )
    return table
