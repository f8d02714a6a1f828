"""Half of capacity comes honestly, and attackers come from the same addresses."""

from firstbell.rehearsal.bars import (
    alone,
    attack_reached,
    known_devices,
    latency_ms,
    nobody_banned,
    recovers,
    strangers_sign_in,
    truly_measured,
    with_edge,
)
from firstbell.rehearsal.scenarios.scenario import SLOW_CONNECTIONS, Phase, Scenario, everybody

SCENARIO = Scenario(
    name="attack",
    story="Unknown clients flood, try passwords and are slow on purpose, from the pupils' own addresses too.",
    minutes=10,
    phases=(
        Phase("before", 0.2, everybody(0.5)),
        Phase("attack", 0.6, everybody(0.5), attack_x=10, slow_connections=SLOW_CONNECTIONS),
        Phase("after", 0.2, everybody(0.5)),
    ),
    bars=(
        *truly_measured(),
        alone(attack_reached("attack", 5)),
        alone(known_devices(0.995)),
        with_edge(attack_reached("attack", 10)),
        with_edge(known_devices(0.999)),
        strangers_sign_in(5),
        nobody_banned(),
        latency_ms("attack", 1_000),
        recovers(5),
    ),
)
