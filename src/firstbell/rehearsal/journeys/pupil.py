"""A pupil's morning: which lesson is first, what do I need for it, and the week."""

from firstbell.rehearsal.journeys.arriving import arrive, stay_signed_in
from firstbell.rehearsal.journeys.documents import open_documents
from firstbell.rehearsal.journeys.step import Journey, Step, Urgency
from firstbell.rehearsal.load.player import Player


def morning(player: Player) -> Journey:
    """Today, the course of the first lesson, its documents, the timetable."""
    if not (yield from arrive(player)):
        return
    if player.course:
        yield Step(Urgency.P1, player.course, think_s=4.0)
    yield from open_documents(player)
    yield stay_signed_in()
    if player.week:
        yield Step(Urgency.P1, player.week, think_s=8.0)
