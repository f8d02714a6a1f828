"""Ten times what can be served."""

from firstbell.rehearsal.bars import (
    alone,
    estimates_kept,
    goodput,
    latency,
    limit_reached,
    recovers,
    refusals_cost,
    served,
    truly_measured,
    with_edge,
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
        *truly_measured(),
        alone(goodput("spike", 0.85)),
        alone(limit_reached(0.95)),
        with_edge(goodput("spike", 0.95)),
        served("spike", 0, 0.999),
        latency("spike", "before"),
        recovers(5),
        *estimates_kept(),
        *map(alone, refusals_cost(kept_us=45, new_us=70)),
        *map(with_edge, refusals_cost(kept_us=12, new_us=40)),
    ),
)
