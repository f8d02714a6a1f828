"""Ten times what can be served."""

from firstbell.rehearsal.results import (
    estimates_kept,
    generator_kept_time,
    goodput,
    latency,
    limit_reached,
    recovers,
    served,
)
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, everybody

SCENARIO = Scenario(
    name="ten-times",
    story="Ten times as many people come as can be served, for ten minutes.",
    minutes=12,
    phases=(
        Phase("before", 0.1, everybody(0.8)),
        Phase("spike", 0.8, everybody(10)),
        Phase("after", 0.1, everybody(0.5)),
    ),
    bars=(
        generator_kept_time(),
        goodput("spike", 0.85),
        limit_reached(0.95),
        served("spike", 0, 0.999),
        latency("spike", "before"),
        recovers(5),
        *estimates_kept(),
    ),
)
