"""Arrivals, percentiles and bars: what the figures of a rehearsal rest on."""

from collections import Counter
from random import Random

import pytest

from firstbell.rehearsal.load.generator import arrivals
from firstbell.rehearsal.load.orders import Stretch
from firstbell.rehearsal.load.tally import Key, Tally, bucket_of, percentile, seconds_of


@pytest.mark.parametrize("seconds", [0.00001, 0.0004, 0.02, 0.25, 1.0, 9.5])
def test_a_latency_is_read_back_at_most_six_percent_too_high(seconds: float) -> None:
    assert seconds <= seconds_of(bucket_of(seconds)) * 1.0001
    assert seconds_of(bucket_of(seconds)) <= seconds * 1.06


def test_a_percentile_is_the_latency_that_this_share_did_not_exceed() -> None:
    buckets = Counter({bucket_of(0.01): 99, bucket_of(2.0): 1})
    assert percentile(buckets, 0.99) == pytest.approx(0.01, rel=0.06)
    assert percentile(buckets, 1.0) == pytest.approx(2.0, rel=0.06)


def test_people_arrive_on_schedule_and_by_the_same_seed_at_the_same_moments() -> None:
    stretches = (Stretch(0, 10, 50), Stretch(10, 20, 0), Stretch(20, 30, 500))
    moments = list(arrivals(stretches, Random(8)))
    assert moments == sorted(moments) == list(arrivals(stretches, Random(8)))
    assert not [moment for moment in moments if 10 <= moment < 20]
    assert sum(moment < 10 for moment in moments) == pytest.approx(500, rel=0.15)
    assert sum(moment >= 20 for moment in moments) == pytest.approx(5_000, rel=0.05)


def test_a_step_that_took_longer_than_a_second_is_served_but_no_goodput() -> None:
    tally, key = Tally(), Key(3, "everybody", 1)
    tally.serve(key, 3.2, 0.2)
    tally.serve(key, 5.1, 2.1)
    assert tally.served == {key: 2}
    assert tally.good == {key: 1}


def test_what_two_generators_saw_adds_up() -> None:
    first, second = Tally(), Tally()
    for tally in (first, second):
        tally.serve(Key(0, "everybody", 1), 0.5, 0.1)
        tally.fail(1.5, "refused")
        tally.waiting.people += 2
    first.add(second)
    assert first.served.total() == first.errors["refused"] == 2
    assert first.waiting.people == 4
