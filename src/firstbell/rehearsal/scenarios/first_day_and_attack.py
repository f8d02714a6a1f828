"""The first day, and on the same morning somebody attacks."""

from firstbell.rehearsal.bars import (
    latency_ms,
    nobody_banned,
    nothing_lost,
    recovers,
    served,
    truly_measured,
)
from firstbell.rehearsal.scenarios.scenario import SLOW_CONNECTIONS, Phase, Scenario, Throng, everybody

SCENARIO = Scenario(
    name="first-day-and-attack",
    story="Everybody comes at the first bell, and the attack comes on top.",
    minutes=12,
    phases=(
        Phase("evening", 0.1, (Throng(0.05, journey="evening"),)),
        Phase("before", 0.1, everybody(0.5)),
        Phase("first bell", 0.3, (Throng(2), Throng(10, name="documents", journey="documents"))),
        Phase(
            "attack on top",
            0.3,
            (Throng(2), Throng(10, name="documents", journey="documents")),
            attack_x=10,
            slow_connections=SLOW_CONNECTIONS,
        ),
        Phase("after", 0.2, everybody(0.5)),
    ),
    bars=(
        *truly_measured(),
        served("first bell", 0, 0.999),
        served("attack on top", 0, 0.999),
        latency_ms("attack on top", 1_000),
        nobody_banned(),
        recovers(5),
        *nothing_lost(),
    ),
)
