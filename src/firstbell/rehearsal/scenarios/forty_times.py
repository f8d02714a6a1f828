"""Forty times what can be served; then one school alone, which is nobody else's problem."""

from firstbell.rehearsal.bars import (
    alone,
    estimates_kept,
    generator_kept_time,
    goodput,
    latency,
    limit_reached,
    recovers,
    served,
    succeeds,
    with_edge,
)
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, Throng, everybody

SCENARIO = Scenario(
    name="forty-times",
    story="Forty times as many people come as can be served; later so many of one school, while the others live on.",
    minutes=12,
    phases=(
        Phase("before", 0.1, everybody(0.8)),
        Phase("spike", 0.4, everybody(40)),
        Phase("after", 0.1, everybody(0.5)),
        Phase("one school", 0.4, (Throng(0.25, name="others"), Throng(40, name="one school", one_school=True))),
    ),
    bars=(
        generator_kept_time(),
        alone(limit_reached(0.95)),
        with_edge(goodput("spike", 0.9)),
        served("spike", 0, 0.999),
        latency("spike", "before"),
        recovers(5),
        *estimates_kept(),
        succeeds("one school", "others", 0.999),
    ),
)
