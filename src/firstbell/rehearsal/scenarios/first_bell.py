"""The morning of 20 April 2020: twice as many people, and all of them open their documents at once."""

from firstbell.rehearsal.bars import estimates_kept, latency, nothing_lost, recovers, served, truly_measured
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, Throng, everybody

ORDINARY_X = 0.25

SCENARIO = Scenario(
    name="first-bell",
    story="Towards 8:30 twice as many come as on an ordinary day, and forty times as many open a document.",
    minutes=10,
    phases=(
        Phase("evening", 0.05, (Throng(0.05, journey="evening"),)),
        Phase("ordinary", 0.15, everybody(ORDINARY_X)),
        Phase("towards 8:30", 0.15, everybody(ORDINARY_X, 2 * ORDINARY_X)),
        Phase(
            "first bell",
            0.5,
            (Throng(2 * ORDINARY_X), Throng(40 * ORDINARY_X, name="documents", journey="documents")),
        ),
        Phase("after", 0.15, everybody(ORDINARY_X)),
    ),
    bars=(
        *truly_measured(),
        served("first bell", 0, 0.999),
        latency("first bell", "ordinary"),
        recovers(5),
        *estimates_kept(),
        *nothing_lost(),
    ),
)
