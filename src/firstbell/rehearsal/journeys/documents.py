"""Opening documents, in a morning or by a whole class at once."""

from firstbell.rehearsal.journeys.arriving import arrive
from firstbell.rehearsal.journeys.step import Journey, Step, Urgency
from firstbell.rehearsal.load.player import Player

_ADDRESS = 303


def open_documents(player: Player) -> Journey:
    """Open the documents that the player's course has: the page sends to a signed address, and that to the bytes."""
    for document in player.documents:
        answer = yield Step(Urgency.P2, document, think_s=10.0, wanted=(200, _ADDRESS))
        if answer is not None and answer.status == _ADDRESS:
            yield Step(Urgency.P2, answer.header("location"))


def everybody_opens_it(player: Player) -> Journey:
    """The teacher said: open the worksheet now."""
    if player.documents:
        yield from open_documents(player)
    else:
        yield from arrive(player)
