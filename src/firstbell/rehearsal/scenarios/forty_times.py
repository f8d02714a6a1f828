"""One school at forty times what can be served, which is nobody else's problem; then all of them."""

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
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, Schools, Throng, everybody

MINUTES = 1.5
"""Each of 4,000 a second who wait is somebody with a device of their own, in the memory of the generator."""

SCENARIO = Scenario(
    name="forty-times",
    story="One school comes forty times as strong as can be served, while the others live on; then all of them do.",
    minutes=MINUTES,
    phases=(
        Phase("before", 0.1, everybody(0.8)),
        Phase(
            "one school",
            0.15,
            (
                Throng(0.25, name="others", schools=Schools.OTHERS),
                Throng(40, name="one school", schools=Schools.ONE),
            ),
        ),
        Phase("spike", 0.45, everybody(40)),
        Phase("after", 0.3, everybody(0.5)),
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
