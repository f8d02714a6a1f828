"""How every morning begins: most resume on their own device, some sign in with a password."""

from collections.abc import Generator
from urllib.parse import quote

from firstbell.rehearsal.bench.connection import Answer
from firstbell.rehearsal.journeys.step import Step, Urgency
from firstbell.rehearsal.load.player import Player

TYPING_S = 6.0


def arrive(player: Player) -> Generator[Step, Answer | None, bool]:
    """Open Today. The access cookie of last night is over, so this refreshes the session. True when it opened."""
    if not player.is_known:
        form = f"name={quote(player.sign_in_name)}&password={quote(player.password)}&next=/"
        if (yield Step(Urgency.P1, "/sign-in")) is None:
            return False
        entered = yield Step(Urgency.P1, "/sign-in", TYPING_S, "POST", form.encode(), wanted=(303,))
        if entered is None:
            return False
    return (yield Step(Urgency.P1, "/")) is not None


def stay_signed_in() -> Step:
    """What an open page does before its access runs out."""
    return Step(Urgency.P0, "/session/refresh", 2.0, "POST", wanted=(204,))
