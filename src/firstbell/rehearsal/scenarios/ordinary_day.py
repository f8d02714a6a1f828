"""A morning like most."""

from firstbell.rehearsal.bars import errors_end_within, latency_ms, nothing_lost, succeeds, truly_measured
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, Throng, everybody

SCENARIO = Scenario(
    name="ordinary-day",
    story="The evening before, teachers put up material; in the morning a quarter of capacity comes, nobody hurries.",
    minutes=4,
    phases=(
        Phase("evening", 0.25, (Throng(0.05, journey="evening"),)),
        Phase("morning", 0.75, everybody(0.25)),
    ),
    bars=(
        *truly_measured(),
        succeeds("morning", "everybody", 0.999),
        latency_ms("morning", 250),
        errors_end_within(0),
        *nothing_lost(),
    ),
)
