"""What the server acknowledged must be there, once."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from firstbell.rehearsal.bench.connection import Answer, AnswerError, Connection
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player

PATIENCE_S = 180.0
AGAIN_S = 2.0
_OK, _SEE_OTHER = 200, 303
_BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Reckoned:
    """How many acknowledged writes are missing, and how many are there more than once."""

    lost: int
    duplicates: int


async def check_ledger(target: Target, receipts: Iterable[tuple[str, Player]]) -> Reckoned:
    """Open the folder of each acknowledged upload and count it by its name, which no other upload has.

    Raises:
        AnswerError: a folder does not open for minutes, whatever we wait.
    """
    pages: dict[str, str] = {}
    lost = duplicates = 0
    for receipt, player in receipts:
        if player.folder not in pages:
            pages[player.folder] = await _folder_page(target, player)
        times = pages[player.folder].count(f">{receipt}.txt<")
        lost += times == 0
        duplicates += times > 1
    return Reckoned(lost, duplicates)


async def _folder_page(target: Target, player: Player) -> str:
    """The page, once the server has time for it: after a storm it may ask us to wait as well."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = await Connection.open(target.host, target.port)
            answer = await _opened(connection, player)
            connection.close()
        except (OSError, AnswerError):
            if time.monotonic() > until:
                raise
        else:
            if answer.status == _OK:
                return answer.text()
            if answer.status not in _BUSY or time.monotonic() > until:
                raise AnswerError(f"{player.folder} does not open for {player.sign_in_name}: {answer.status}")
        await asyncio.sleep(AGAIN_S)


async def _opened(connection: Connection, player: Player) -> Answer:
    answer = await connection.ask(player.request("GET", player.folder.removesuffix("/documents")))
    player.keep(answer)
    if answer.status == _SEE_OTHER:
        answer = await connection.ask(player.request("GET", answer.header("location")))
        player.keep(answer)
    return answer
