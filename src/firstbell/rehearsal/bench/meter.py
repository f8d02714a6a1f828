"""What processes cost: CPU time and memory, read from Linux' /proc."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

_PROC = Path("/proc")
_PARENT = re.compile(r"^\d+ \(.*\) \S (\d+)", re.S)
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.M)


def process_tree(roots: Iterable[int]) -> set[int]:
    """The ids of `roots` and everything that they started and that still runs."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        parent = _PARENT.match(_read(folder / "stat"))
        if parent is not None:
            children.setdefault(int(parent[1]), []).append(int(folder.name))
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        process = waiting.pop()
        found.add(process)
        waiting.extend(children.get(process, []))
    return found


def memory_bytes(processes: Iterable[int]) -> int:
    """Resident memory as proportional set size: a page that several processes share counts once."""
    sizes = (_PSS.search(_read(_PROC / str(process) / "smaps_rollup")) for process in processes)
    return sum(int(size[1]) * 1024 for size in sizes if size is not None)


@dataclass(frozen=True, slots=True)
class CpuReading:
    """The CPU time of each thread at one moment, in nanoseconds.

    `schedstat` (Linux, Documentation/scheduler/sched-stats.rst) counts nanoseconds; the ticks of `stat` are 10 ms,
    more than most steps cost for one request.
    """

    threads_ns: dict[str, int]

    @classmethod
    def now(cls, roots: Iterable[int]) -> "CpuReading":
        """Read all threads of the processes that `roots` are and have started."""
        return cls(
            {
                str(path): int(text.split()[0])
                for process in process_tree(roots)
                for path in (_PROC / str(process) / "task").glob("*/schedstat")
                if (text := _read(path))
            }
        )

    def since(self, earlier: "CpuReading") -> int:
        """Nanoseconds since `earlier`; a thread that ended in between is not counted."""
        return sum(now_ns - earlier.threads_ns.get(thread, 0) for thread, now_ns in self.threads_ns.items())


class MachineReading(NamedTuple):
    """The time of all processors of this machine until one moment, in ticks (`/proc/stat`, see Linux, proc(5)).

    `stolen` is how much of it they had something to do while the host of a virtual machine ran others: then everything
    here stands still, and no process of it is to blame.
    """

    whole: int
    stolen: int

    @classmethod
    def now(cls) -> "MachineReading":
        """Read it."""
        # user, nice, system, idle, iowait, irq, softirq, steal; guests are in user
        ticks = [int(text) for text in _read(_PROC / "stat").split()[1:9]]
        return cls(sum(ticks), ticks[-1])

    def stolen_share_since(self, earlier: "MachineReading") -> float:
        """The part of the time since `earlier` that was stolen, 0 to 1."""
        return (self.stolen - earlier.stolen) / max(1, self.whole - earlier.whole)


class RequestLog:
    """Reads what the server says of its requests: one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = 0
        self._statements = 0

    def statements(self) -> int:
        """How many statements requests ran since the log began; a line that is half written counts next time."""
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_bytes += len(line)
                if line.startswith(b"{"):
                    self._statements += _decode_line(line).statements
        return self._statements


class _Line(msgspec.Struct):
    statements: int = 0


_decode_line = msgspec.json.Decoder(_Line).decode


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
        return ""
