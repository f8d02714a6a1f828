"""Sketches against exact counts: what they promise holds for whatever comes."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from firstbell.kernel.sketches import CountMin, SpaceSaving

STREAMS = st.lists(st.integers(0, 60), max_size=600)


@given(STREAMS, st.integers(1, 20))
def test_no_count_is_over_by_more_than_the_share_of_a_counter(stream: list[int], counters: int) -> None:
    sketch: SpaceSaving[int] = SpaceSaving(counters)
    exact: Counter[int] = Counter()
    for key in stream:
        exact[key] += 1
        assert sketch.add(key) <= exact[key]
    top = sketch.top(counters)
    assert len(top) <= counters
    assert sketch.total == len(stream)
    for talker in top:
        assert talker.times - talker.error <= exact[talker.key] <= talker.times
        assert talker.error * counters <= len(stream)
        assert sketch.least_count(talker.key) == talker.times - talker.error
    kept = {talker.key for talker in top}
    assert all(key in kept for key, count in exact.items() if count * counters > len(stream))


@given(STREAMS, STREAMS)
def test_after_fading_a_count_is_still_no_more_than_it_was(before: list[int], after: list[int]) -> None:
    sketch: SpaceSaving[int] = SpaceSaving(8)
    exact: Counter[int] = Counter()
    for key in before:
        sketch.add(key)
        exact[key] += 1
    sketch.fade()
    halves = Counter({key: (count + 1) // 2 for key, count in exact.items()})
    for key in after:
        halves[key] += 1
        assert sketch.add(key) <= halves[key]
    assert len(sketch.top(100)) <= 8


def test_a_loud_one_among_very_many_quiet_ones_is_found() -> None:
    sketch: SpaceSaving[int] = SpaceSaving(64)
    for turn in range(100_000):
        sketch.add(-1 if turn % 20 == 0 else turn)
    assert sketch.top(1)[0].key == -1
    assert sketch.least_count(-1) > 3_000


@given(st.lists(st.binary(max_size=4), max_size=300))
def test_nothing_is_counted_too_few_times_and_little_too_many(stream: list[bytes]) -> None:
    sketch = CountMin(share=0.01, failure=1e-6, salt=b"s")
    exact = Counter(stream)
    for key in stream:
        sketch.add(key)
    for key, count in exact.items():
        assert count <= sketch.count(key) <= count + 0.01 * len(stream)
    assert sketch.count(b"never there") <= 0.01 * len(stream)
    sketch.fade()
    assert all(sketch.count(key) >= count // 2 for key, count in exact.items())
