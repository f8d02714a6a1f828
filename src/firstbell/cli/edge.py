"""`firstbell edge`: tells HAProxy each second what the gates of the cells would refuse."""

import asyncio
import re
import signal
import time
import urllib.error
import urllib.request
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import structlog
import typer

from firstbell.cli import app
from firstbell.gate.edge import Cell, Told, class_maps, only_hosts, read_metrics
from firstbell.gate.edge_pages import edge_pages
from firstbell.kernel.errors import OperatorError
from firstbell.kernel.logs import configure_logs
from firstbell.settings import Settings, read_settings

SECOND_S = 1.0
METRICS_TIMEOUT_S = 3.0
"""A node that is silent for longer is not heard; below the 5 s after which the edge passes everything."""

SOCKET_TIMEOUT_S = 1.0
ANSWER_BYTES_MAX = 8_000_000
"""Its table of 10,240 schools has 3 MB."""

COMMAND_BYTES_MAX = 12_000
"""HAProxy takes a command that fits one of its buffers, which are 16 kB."""

REPORT_EVERY = 60
"""Seconds between two lines in the log while nothing changes."""

SCHOOLS = "schools"
"""Its table of host names."""

_COUNTERS = re.compile(r"key=(\S+) .*? gpc0=(\d+) gpc1=(\d+) gpc2=(\d+)")

log = structlog.get_logger("firstbell.edge")

edge = typer.Typer(help="Tell HAProxy what the gates of the cells would refuse.")
app.add_typer(edge, name="edge")


@edge.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    cell: Annotated[
        list[str] | None,
        typer.Option(help="NAME=URL of a web node, such as cell1=http://127.0.0.1:8300; again for each node."),
    ] = None,
    socket: Annotated[Path, typer.Option(envvar="EDGE_SOCKET", help="HAProxy's runtime socket.")] = Path(
        "/run/haproxy/admin.sock"
    ),
    maps: Annotated[Path, typer.Option(envvar="EDGE_MAPS", help="The folder of its maps.")] = Path("/etc/haproxy/maps"),
) -> None:
    """Write level and lines of the cells to HAProxy each second, until SIGTERM."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings()
    nodes = _nodes(cell or [f"cell1=http://{settings.host}:{settings.port}"])
    haproxy = RuntimeSocket(socket)
    if not socket.is_socket():
        raise OperatorError(f"HAProxy has no socket at {socket}: start it first, or name its socket with --socket.")
    if not (maps / "cells.map").is_file():
        raise OperatorError(f"There is no cells.map in {maps}: name the folder of HAProxy's maps with --maps.")
    configure_logs(settings.log_level)
    asyncio.run(Edge(haproxy, maps, nodes, settings).run())


@edge.command("classes")
def write_classes(
    folder: Annotated[Path, typer.Argument(help="The folder of HAProxy's maps.", exists=True, file_okay=False)],
) -> None:
    """Write the maps of paths and their classes, as the routes of this version declare them."""
    from firstbell.app import declared_routes  # what runs each second needs no application  # noqa: PLC0415

    for name, text in zip(("paths", "prefixes"), class_maps(declared_routes()), strict=True):
        (folder / f"{name}.map").write_text(text)


@edge.command("pages")
def write_pages(
    folder: Annotated[Path, typer.Argument(help="The folder of HAProxy's pages.", exists=True, file_okay=False)],
) -> None:
    """Write the pages that HAProxy itself gives."""
    for name, text in edge_pages().items():
        (folder / f"{name}.html").write_text(text)


def _nodes(named: list[str]) -> dict[str, list[str]]:
    """The addresses of the nodes of each cell.

    Raises:
        OperatorError: one is not NAME=URL.
    """
    nodes: dict[str, list[str]] = defaultdict(list)
    for words in named:
        name, _, url = words.partition("=")
        if not name or not url.startswith(("http://", "https://")):
            raise OperatorError(f"{words!r} is not NAME=URL, such as cell1=http://127.0.0.1:8300.")
        nodes[name].append(url.rstrip("/"))
    return nodes


class RuntimeSocket:
    """HAProxy's runtime API."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def replace_map(self, file: str, entries: dict[str, int]) -> None:
        """Replace all entries of a map at once.

        Raises:
            OSError: HAProxy does not listen, or does not know the map.
        """
        made = await self._ask(f"prepare map {file}")
        version = made.rpartition(":")[2].strip()
        if not version.isdigit():
            raise OSError(made)
        lines: list[str] = []
        for line in (f"{key} {value}" for key, value in entries.items()):
            if sum(map(len, lines)) + len(line) + len(lines) > COMMAND_BYTES_MAX:
                await self._add(version, file, lines)
                lines = []
            lines.append(line)
        await self._add(version, file, lines)
        await self._ask(f"commit map @{version} {file}")

    async def read_map(self, file: str) -> dict[str, int]:
        """The entries of a map.

        Raises:
            OSError: HAProxy does not listen, or does not know the map.
        """
        words = (line.split() for line in (await self._ask(f"show map {file}")).splitlines())
        return {key: int(value) for _, key, value in (line for line in words if len(line) == 3)}  # noqa: PLR2004

    async def counted(self) -> dict[str, tuple[int, ...]]:
        """Who came to the line of each school since HAProxy began, by host and lane.

        Raises:
            OSError: HAProxy does not listen.
        """
        shown = await self._ask(f"show table {SCHOOLS}")
        return {found[1]: tuple(map(int, found.groups()[1:])) for found in _COUNTERS.finditer(shown)}

    async def _add(self, version: str, file: str, lines: list[str]) -> None:
        told = await self._ask(f"add map @{version} {file} <<\n" + "\n".join(lines) + "\n")
        if told:
            raise OSError(told)

    async def _ask(self, command: str) -> str:
        async with asyncio.timeout(SOCKET_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(str(self._path))
            try:
                writer.write(f"{command}\n".encode())
                await writer.drain()
                answer = await reader.read(ANSWER_BYTES_MAX)
                while more := await reader.read(ANSWER_BYTES_MAX - len(answer)):
                    answer += more
                return answer.decode().strip()
            finally:
                writer.close()


@dataclass(slots=True)
class _Seen:
    """What the log said last."""

    words: str = ""
    at_s: float = 0.0


class Edge:
    """The loop of `firstbell edge`."""

    def __init__(self, haproxy: RuntimeSocket, maps: Path, nodes: dict[str, list[str]], settings: Settings) -> None:
        self._haproxy = haproxy
        self._maps = maps
        self._map = str(maps / "gate.map")
        self._nodes = nodes
        self._token = settings.metrics_token
        self._cells = {name: Cell(name) for name in nodes}
        # A cell that is silent keeps its last entries with their instant, which grows old by itself.
        self._entries: dict[str, dict[str, int]] = {}
        self._stopping = asyncio.Event()
        self._seen = _Seen()

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT, through anything that goes away and comes back."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        while not self._stopping.is_set():
            began = time.monotonic()
            self._say(await self._tell())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), max(0.0, SECOND_S - (time.monotonic() - began)))
        log.info("edge ended")

    async def _tell(self) -> str:
        heard = dict(
            zip(self._nodes, await asyncio.gather(*(self._hear(urls) for urls in self._nodes.values())), strict=True)
        )
        try:
            counted = await self._haproxy.counted()
            believed = {} if self._entries else await self._haproxy.read_map(self._map)
            for name, told in heard.items():
                if told is not None:
                    hosts = self._hosts(name)
                    ours = {host: counters for host, counters in counted.items() if host in hosts}
                    entries = self._cells[name].entries(only_hosts(told, hosts), time.time(), ours, believed)
                    self._entries[name] = entries
            entries = {key: value for cell in self._entries.values() for key, value in cell.items()}
            entries["written"] = min((value for key, value in entries.items() if key.startswith("written/")), default=0)
            await self._haproxy.replace_map(self._map, entries)
        except (OSError, TimeoutError) as error:
            return f"HAProxy was not told: {error or 'no answer'}"
        kinds = [key.partition("/")[0] for key in entries]
        did = f"told {kinds.count('level')} levels, {kinds.count('line')} lines"
        if any(map(_is_limited, heard.values())):
            did += ", and whom to call"
        silent = [name for name, told in heard.items() if told is None]
        return f"{did}; no metrics from {', '.join(silent)}" if silent else did

    async def _hear(self, urls: list[str]) -> Told | None:
        """What the nodes of a cell say; None when none of them answers."""
        texts = await asyncio.gather(*(asyncio.to_thread(self._metrics, url) for url in urls))
        answered = [text for text in texts if text]
        return read_metrics(answered) if answered else None

    def _hosts(self, cell: str) -> set[str]:
        """The host names that come to a cell by this edge; others of its schools would take a share for nobody."""
        lines = (line.split() for line in (self._maps / "cells.map").read_text().splitlines())
        return {words[0] for words in lines if words[1:] == [cell]}

    def _metrics(self, url: str) -> str:
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        asked = urllib.request.Request(f"{url}/metrics", headers=headers)  # noqa: S310 - _nodes takes only http
        try:
            with urllib.request.urlopen(asked, timeout=METRICS_TIMEOUT_S) as answer:  # noqa: S310
                return str(answer.read().decode())
        except (OSError, ValueError):
            return ""

    def _say(self, words: str) -> None:
        """A line when something changed, and now and then."""
        now = time.monotonic()
        if words != self._seen.words or now - self._seen.at_s > REPORT_EVERY:
            self._seen = _Seen(words, now)
            log.info("edge", did=words)


def _is_limited(told: Told | None) -> bool:
    return told is not None and told.entries_per_s > 0
