"""The gathering pages play at De Linde too, each test from an empty timetable."""

import pytest

from tests.domains.timetable.world import World


@pytest.fixture(autouse=True)
def _empty_timetable(world: World) -> None:
    world.forget_lessons()
