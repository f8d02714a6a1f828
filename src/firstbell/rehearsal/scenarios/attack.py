"""Half of capacity comes honestly, and attackers come from the same addresses."""

from firstbell.rehearsal.results import generator_kept_time, known_devices, latency_ms, recovers, strangers_sign_in
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, everybody

SCENARIO = Scenario(
    name="attack",
    story="Unknown clients flood, try passwords and are slow on purpose, from the pupils' own addresses too.",
    minutes=10,
    phases=(
        Phase("before", 0.2, everybody(0.5)),
        Phase("attack", 0.6, everybody(0.5), attack_x=10, slow_connections=500),
        Phase("after", 0.2, everybody(0.5)),
    ),
    bars=(generator_kept_time(), known_devices(0.995), strangers_sign_in(5), latency_ms("attack", 1_000), recovers(5)),
)
