"""Who may come: everybody on their devices, with the links that they find on their pages."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from firstbell.rehearsal.bench.connection import Answer, AnswerError, Connection, browser_request
from firstbell.rehearsal.load.arms import Arms
from firstbell.rehearsal.load.attackers import flood_requests, spray_requests
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player

LOOKING_AT_ONCE = 4
DOCUMENTS_MAX = 2
"""What somebody opens of a course in one morning."""

STRANGERS_SHARE = 0.05
NAMES_TRIED = 500
"""Whose passwords attackers try."""

ATTACKERS = 4_000
"""Addresses that attackers have beside those of the schools."""

_COURSE = re.compile(r'href="(/courses/[0-9a-f-]{36})"')
_DOCUMENT = re.compile(r'href="(/[^"]*documents/[0-9a-f-]{36})"')
_FOLDER = re.compile(r'action="(/[^"]*folders/[0-9a-f-]{36}/documents)[?"]')
_INNER = re.compile(r'href="(/[^"]*folders/[0-9a-f-]{36})"')
_WEEK = re.compile(r'href="(/timetable)"')
_ASSET = re.compile(r'href="(/static/[^"]+\.css)"')
_COURSES = "/courses"
_OK = 200


@dataclass(frozen=True, slots=True)
class Links:
    """What somebody's pages lead to."""

    week: str = ""
    course: str = ""
    documents: tuple[str, ...] = ()
    folder: str = ""


async def look_around(target: Target, people: Sequence[Player]) -> dict[tuple[str, str], Links]:
    """Open Today and a course as each of `people`, and note the links; pages that are not there have none."""
    found: dict[tuple[str, str], Links] = {}
    waiting = list(people)

    async def look() -> None:
        connection = await Connection.open(target.host, target.port)
        while waiting:
            player = waiting.pop()
            try:
                found[player.host, player.sign_in_name] = await _links_of(player, connection)
            except AnswerError:
                connection = await Connection.open(target.host, target.port)
        connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(LOOKING_AT_ONCE):
            group.create_task(look())
    return found


async def _links_of(player: Player, connection: Connection) -> Links:
    today = await _page(player, connection, "/")
    week = _first(_WEEK, today)
    course = _COURSE.search(today) or _COURSE.search(await _page(player, connection, _COURSES))
    if course is None:
        return Links(week)
    shown = await _page(player, connection, course[1])
    documents = _DOCUMENT.findall(today) or _DOCUMENT.findall(shown)
    if not documents and (inner := _first(_INNER, shown)):
        documents = _DOCUMENT.findall(await _page(player, connection, inner))
    return Links(week, course[1], tuple(dict.fromkeys(documents))[:DOCUMENTS_MAX], _first(_FOLDER, shown))


async def find_asset(target: Target, host: str) -> str:
    """The address of a file that the sign-in page needs: it has no reader and never changes."""
    connection = await Connection.open(target.host, target.port)
    answer = await connection.ask(browser_request("GET", host, "/sign-in", {}))
    connection.close()
    return _first(_ASSET, answer.text())


def _first(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    return found[1] if found else ""


async def _page(player: Player, connection: Connection, path: str) -> str:
    answer: Answer = await connection.ask(player.request("GET", path))
    player.keep(answer)
    return answer.text() if answer.status == _OK else ""


def write_cast(file: Path, players: Iterable[Player], links: dict[tuple[str, str], Links]) -> None:
    """Write everybody with their links; some who know their password once more on a device that was never here."""
    encode = msgspec.json.Encoder().encode
    with file.open("wb") as lines:
        for number, player in enumerate(players):
            found = links.get((player.host, player.sign_in_name), Links())
            known = msgspec.structs.replace(player, **asdict(found))
            lines.write(encode(known) + b"\n")
            if player.password and number % int(1 / STRANGERS_SHARE) == 0:
                lines.write(encode(msgspec.structs.replace(known, cookies={})) + b"\n")


def make_arms(hosts: Sequence[str], people: Sequence[Player], asset: str, *, is_here: bool = True) -> Arms:
    """What attackers of these schools are given; from elsewhere they have but the one address that they are at."""
    floods = flood_requests(hosts)
    known = [
        # Without its session: whoever is refused with it loses nothing.
        browser_request("GET", player.host, "/", {"device": player.cookies["device"]})
        for player in people[:NAMES_TRIED]
        if player.is_known
    ]
    return Arms(
        floods=floods,
        sprays=spray_requests([(player.host, player.sign_in_name) for player in people[:NAMES_TRIED]]),
        refused=(*known, *(floods * max(1, len(known) // len(floods)))),
        own_sources=school_sources(hosts) if is_here else ("",),
        other_sources=tuple(other_sources(ATTACKERS)) if is_here else (),
        slow_host=hosts[0],
        slow_path=asset,
    )


def source_of(host: str, sign_in_name: str, role: str) -> str:
    """The address that somebody comes from: pupils and teachers share their school's, parents have their own."""
    shared = role != "parent"
    digest = sha256((host if shared else f"{host}/{sign_in_name}").encode()).digest()
    # 127.64.0.0/10 for schools, 127.128.0.0/9 for homes; nothing of this machine listens there.
    first = 64 + digest[0] % 64 if shared else 128 + digest[0] % 127
    return f"127.{first}.{digest[1]}.{1 + digest[2] % 254}"


def school_sources(hosts: Sequence[str]) -> tuple[str, ...]:
    """The addresses of schools."""
    return tuple(source_of(host, "", "pupil") for host in hosts)


def other_sources(number: int) -> Iterator[str]:
    """Addresses from which nobody honest comes."""
    for index in range(number):
        yield f"127.{32 + index % 32}.{index // 32 % 256}.{1 + index // 8_192 % 254}"
