"""One school at forty times what can be served, which is nobody else's problem."""

from firstbell.rehearsal.bars import estimates_kept, recovers, served, succeeds, truly_measured
from firstbell.rehearsal.scenarios.scenario import Phase, Scenario, Schools, Throng, everybody

ORDINARY_X = 0.5
"""Of all schools together; the others bring their part of it, in the storm as before it."""
MINUTES = 1
"""Each of 4,000 a second who wait is somebody of one school with a device of their own."""

SCENARIO = Scenario(
    name="one-school",
    story="One school comes forty times as strong as can be served, while the others live on.",
    minutes=MINUTES,
    phases=(
        Phase("before", 0.2, everybody(ORDINARY_X)),
        Phase(
            "one school",
            0.4,
            (
                Throng(ORDINARY_X, name="others", schools=Schools.OTHERS, is_part=True),
                Throng(40, name="one school", schools=Schools.ONE),
            ),
        ),
        Phase("after", 0.4, everybody(ORDINARY_X)),
    ),
    bars=(
        *truly_measured(),
        succeeds("one school", "others", 0.999),
        served("one school", 0, 0.999),
        recovers(5),
        *estimates_kept(),
    ),
)
