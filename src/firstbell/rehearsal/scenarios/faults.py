"""Things break in the middle of the peak."""

from firstbell.rehearsal.bars import errors_end_within, nothing_lost, recovers, truly_measured
from firstbell.rehearsal.scenarios.scenario import Fault, Phase, Scenario, Throng, everybody

SCENARIO = Scenario(
    name="faults",
    story="At 80 % of capacity a worker is killed, NATS is stopped, PostgreSQL restarted and the storage slow.",
    minutes=6,
    phases=(
        Phase("before", 0.2, everybody(0.8)),
        Phase("faults", 0.6, (Throng(0.75), Throng(0.05, name="uploads", journey="evening")), faults=tuple(Fault)),
        Phase("after", 0.2, everybody(0.5)),
    ),
    bars=(*truly_measured(), errors_end_within(5), recovers(5), *nothing_lost()),
)
