"""The school mornings that can be rehearsed: one short file each."""

from collections.abc import Mapping

from firstbell.rehearsal.scenarios import (
    attack,
    faults,
    first_bell,
    first_day_and_attack,
    forty_times,
    one_school,
    ordinary_day,
    ten_times,
)
from firstbell.rehearsal.scenarios.scenario import Scenario

SCENARIOS: Mapping[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (
        ordinary_day,
        first_bell,
        ten_times,
        forty_times,
        one_school,
        attack,
        first_day_and_attack,
        faults,
    )
}
"""By name."""
