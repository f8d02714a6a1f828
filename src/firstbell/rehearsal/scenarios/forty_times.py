"""Forty times what can be served."""

from firstbell.rehearsal.bars import (
    alone,
    estimates_kept,
    goodput,
    latency,
    limit_reached,
    recovers,
    served,
    truly_measured,
    with_edge,
)
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, everybody

MINUTES = 1.5
"""Each of 4,000 a second who wait is somebody with a device of their own, in the memory of the generator."""

SCENARIO = Scenario(
    name="forty-times",
    story="Forty times as many people come as can be served.",
    minutes=MINUTES,
    phases=(
        Phase("before", 0.2, everybody(0.8)),
        Phase("spike", 0.5, everybody(40)),
        Phase("after", 0.3, everybody(0.5)),
    ),
    bars=(
        *truly_measured(),
        alone(limit_reached(0.95)),
        with_edge(goodput("spike", 0.9)),
        served("spike", 0, 0.999),
        latency("spike", "before"),
        recovers(5),
        *estimates_kept(),
    ),
)
