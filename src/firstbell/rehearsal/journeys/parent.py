"""A parent's morning: what does my child need today?"""

from firstbell.rehearsal.journeys.arriving import arrive
from firstbell.rehearsal.journeys.step import Journey, Step, Urgency
from firstbell.rehearsal.load.player import Player


def morning(player: Player) -> Journey:
    """Today, and the week."""
    if (yield from arrive(player)) and player.week:
        yield Step(Urgency.P1, player.week, think_s=6.0)
