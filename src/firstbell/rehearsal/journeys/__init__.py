"""Mornings as people live them: one file each."""

from collections.abc import Callable, Mapping

from firstbell.rehearsal.journeys import documents, parent, pupil, teacher
from firstbell.rehearsal.journeys.step import Journey
from firstbell.rehearsal.load.player import Player

JOURNEYS: Mapping[str, Mapping[str, Callable[[Player], Journey]]] = {
    "morning": {"pupil": pupil.morning, "teacher": teacher.morning, "parent": parent.morning},
    "documents": {"pupil": documents.everybody_opens_it},
    "evening": {"teacher": teacher.evening},
}
"""By the name that a scenario uses: who takes part, and in what."""
