"""What the server acknowledged must be there, once."""

from collections.abc import Iterable
from dataclasses import dataclass

from firstbell.rehearsal.bench.connection import AnswerError, Connection
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player

_OK, _SEE_OTHER = 200, 303


@dataclass(frozen=True, slots=True)
class Reckoned:
    """How many acknowledged writes are missing, and how many are there more than once."""

    lost: int
    duplicates: int


async def check_ledger(target: Target, receipts: Iterable[tuple[str, Player]]) -> Reckoned:
    """Open the folder of each acknowledged upload and count it by its name, which no other upload has."""
    pages: dict[str, str] = {}
    lost = duplicates = 0
    connection = await Connection.open(target.host, target.port)
    for receipt, player in receipts:
        if player.folder not in pages:
            pages[player.folder] = await _folder_page(connection, player)
        times = pages[player.folder].count(f">{receipt}.txt<")
        lost += times == 0
        duplicates += times > 1
    connection.close()
    return Reckoned(lost, duplicates)


async def _folder_page(connection: Connection, player: Player) -> str:
    path = player.folder.removesuffix("/documents")
    answer = await connection.ask(player.request("GET", path))
    player.keep(answer)
    if answer.status == _SEE_OTHER:
        answer = await connection.ask(player.request("GET", answer.header("location")))
    if answer.status != _OK:
        raise AnswerError(f"{path} does not open for {player.sign_in_name}: {answer.status}")
    return answer.text()
