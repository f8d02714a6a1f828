"""The lines at the edge on an injected clock, with HAProxy's counters as they would be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstbell.gate.edge_lines import AHEAD_MIN, AHEAD_S, EdgeLane, EdgeLines, share_out

WILGE, LINDE = "wilge.example", "linde.example"
RATE = 40.0


@dataclass
class Street:
    """Schools with people who come, second by second, to HAProxy's counters and the lines."""

    rate_per_s: float = RATE
    calls_per_s: float = RATE
    booked_s: float = 0.0
    unheard_s: float = 0.0
    sizes: Mapping[str, float] = field(default_factory=dict)
    now_s: float = 1_000.0
    lines: EdgeLines = field(default_factory=EdgeLines)
    counted: dict[str, list[int]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)

    def second(self, host: str = WILGE, **came: int) -> dict[str, int]:
        """A second in which so many came to each lane of a school; what HAProxy is told then."""
        self.lines.turn(
            self._count(host, came),
            self.now_s,
            rate_per_s=self.rate_per_s,
            calls_per_s=self.calls_per_s,
            sizes=self.sizes,
            booked_s=self.booked_s,
            unheard_s=self.unheard_s,
            told=self.told,
        )
        return self.lines.entries()

    def rest(self, **came: int) -> dict[str, int]:
        """The same when the gates let in everybody."""
        counted = self._count(WILGE, came)
        self.lines.rest(counted, self.now_s, rate_per_s=self.rate_per_s, sizes=self.sizes, told=self.told)
        return self.lines.entries()

    def _count(self, host: str, came: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        counters = self.counted.setdefault(host, [0, 0, 0])
        for lane, people in came.items():
            counters[EdgeLane[lane.upper()]] += people
        self.now_s += 1
        return {host: tuple(counters) for host, counters in self.counted.items()}


def test_who_comes_is_called_in_order_as_many_a_second_as_the_gate_wants() -> None:
    street = Street()
    assert street.second(hinted=0)[f"served/{WILGE}/1"] == AHEAD_S * RATE
    crowd = street.second(hinted=400)[f"served/{WILGE}/1"]
    called = [street.second(hinted=400)[f"served/{WILGE}/1"] for _ in range(9)]
    assert called == [crowd + 40 * second for second in range(1, 10)]
    until = street.second(hinted=0)[f"served_until/{WILGE}/1"]
    # 400 came in each second from the first one on.
    assert street.lines.waiting == 4_000 - called[-1] - 40
    assert until == pytest.approx(1_001_000 + 1_000 * (called[-1] + 40) / 400, abs=1)


def test_a_school_that_comes_as_ordinary_is_called_ahead_whatever_another_does() -> None:
    street = Street(sizes={WILGE: 300.0, LINDE: 100.0})
    street.second(WILGE, hinted=0)
    for _ in range(30):
        street.second(WILGE, hinted=1_600)
        entries = street.second(LINDE, hinted=8)
        assert entries[f"served/{LINDE}/1"] >= street.counted[LINDE][1] + 8, "the next second's are called already"
    assert street.lines.waiting > 40_000


def test_proven_devices_are_called_first_and_the_others_are_not_forgotten() -> None:
    street = Street()
    street.second(proven=0)
    seconds = [street.second(proven=100, hinted=100, stranger=100) for _ in range(50)]
    called = [seconds[-1][name] - seconds[9][name] for name in (f"served/{WILGE}/{lane}" for lane in range(3))]
    assert called == pytest.approx([40 * RATE * share for share in (0.9, 0.1, 0.05)], rel=0.05)
    only_hinted = Street()
    only_hinted.second(hinted=0)
    served = [only_hinted.second(hinted=100)[f"served/{WILGE}/1"] for _ in range(50)]
    assert served[-1] - served[9] == pytest.approx(40 * RATE, rel=0.05)


def test_a_flood_of_strangers_does_not_make_the_gates_count_entries_for_ever() -> None:
    street = Street()
    for _ in range(10):
        street.second(hinted=20, stranger=4_000)
    assert street.lines.waiting > 30_000
    assert street.lines.known_waiting == 0


def test_nobody_is_called_while_the_gate_wants_nobody_and_the_order_stays() -> None:
    street = Street(calls_per_s=0.0)
    street.second(hinted=0)
    street.second(hinted=200)
    first = street.second(hinted=200)
    later = [street.second(hinted=200) for _ in range(5)]
    assert {entries[f"served/{WILGE}/1"] for entries in later} == {first[f"served/{WILGE}/1"]}
    assert {entries[f"served_until/{WILGE}/1"] for entries in later} == {first[f"served_until/{WILGE}/1"]}


def test_who_waits_when_haproxy_starts_again_keeps_the_place() -> None:
    street = Street()
    street.second(hinted=0)
    before = [street.second(hinted=200) for _ in range(3)][-1]
    street.counted[WILGE] = [0, 0, 0]
    after = street.second(hinted=10)
    assert after[f"served_until/{WILGE}/1"] > before[f"served_until/{WILGE}/1"]
    assert after[f"served/{WILGE}/1"] < 0, "who comes now goes behind those of before"
    assert street.lines.waiting == 410 - AHEAD_MIN - 3 * RATE


def test_a_process_that_starts_again_goes_on_from_what_haproxy_believes() -> None:
    street = Street()
    street.second(hinted=0)
    before = [street.second(hinted=200) for _ in range(5)][-1]
    again = Street(now_s=street.now_s, counted=street.counted, told=before)
    after = again.second(hinted=0)
    assert after[f"served/{WILGE}/1"] == before[f"served/{WILGE}/1"] + RATE
    assert after[f"served_until/{WILGE}/1"] >= before[f"served_until/{WILGE}/1"]
    assert again.lines.waiting == street.lines.waiting - RATE


def test_the_pace_from_which_waits_are_told_is_what_a_line_gets() -> None:
    street = Street(sizes={WILGE: 300.0, LINDE: 100.0})
    street.second(WILGE, hinted=0)
    first = street.second(LINDE, hinted=0)
    assert [first[f"pace/{host}/1"] for host in (WILGE, LINDE)] == [30_000, 10_000]
    for _ in range(60):
        street.second(WILGE, hinted=400)
        later = street.second(LINDE, hinted=10)
    assert later[f"pace/{WILGE}/1"] == pytest.approx(35_000, rel=0.05), "what Linde leaves is for Wilge"


def test_in_peace_a_crowd_waits_for_a_second_and_everybody_else_is_called() -> None:
    street = Street()
    street.second(hinted=900)
    assert street.rest(hinted=0)[f"served/{WILGE}/1"] == 900 + AHEAD_S * RATE
    called = street.rest(hinted=20)
    assert called[f"served/{WILGE}/1"] >= 920 + AHEAD_S * RATE
    assert street.lines.waiting == 0
    assert called[f"pace/{WILGE}/1"] == RATE * 1_000
    assert called[f"booked/{WILGE}/1"] == AHEAD_S, "those who pass come in before them"
    crowd = street.rest(hinted=400)
    assert crowd[f"served/{WILGE}/1"] == 1_320 + AHEAD_MIN, "who comes now stands behind the crowd"
    assert crowd[f"booked/{WILGE}/1"] == pytest.approx(AHEAD_S + 320 / RATE, abs=1), "which comes when it was told"
    assert street.lines.waiting == 0


def test_who_passes_while_the_gates_have_not_told_is_counted_in_peace_too() -> None:
    street = Street(unheard_s=1.0)
    street.rest(hinted=500)
    assert street.second(hinted=0)[f"booked/{WILGE}/1"] == 0, "those before the first look are of another morning"
    street.rest(hinted=0)
    told = street.second(hinted=900)
    passed = AHEAD_S * RATE
    waiting_s = (900 - passed) / RATE
    assert told[f"booked/{WILGE}/1"] == pytest.approx(passed / RATE - 1 + waiting_s, abs=1)


def test_who_waits_as_a_spike_begins_is_called_when_it_was_told_and_who_comes_then_stands_behind() -> None:
    street = Street()
    street.rest(hinted=0)
    assert street.second(hinted=900)[f"served/{WILGE}/1"] == 900 + AHEAD_MIN
    assert street.lines.waiting == 0
    assert street.second(hinted=900)[f"served/{WILGE}/1"] == 900 + AHEAD_MIN + RATE


def test_a_crowd_that_begins_while_others_wait_is_called_when_it_was_told_too() -> None:
    street = Street()
    for _ in range(10):
        street.second(WILGE, hinted=100)
        street.second(LINDE, hinted=0)
    assert street.second(LINDE, hinted=400)[f"served/{LINDE}/1"] == 400 + AHEAD_MIN
    told = street.second(LINDE, hinted=400)
    assert 400 < told[f"served/{LINDE}/1"] <= 400 + AHEAD_MIN + RATE / 2, "they stand behind the crowd"
    assert told[f"booked/{LINDE}/1"] == pytest.approx(400 / (RATE / 2), abs=3)


def test_a_school_that_is_called_later_than_another_is_called_more_until_both_are_as_late() -> None:
    street = Street(sizes={WILGE: 100.0, LINDE: 100.0})
    street.second(WILGE, hinted=0)
    street.second(WILGE, hinted=1_200)  # a crowd, which is called at once: this school is called half a minute early
    street.second(LINDE, hinted=0)
    street.second(LINDE, hinted=100)
    street.second(LINDE, hinted=400)
    seconds = [street.second(WILGE, hinted=100) for _ in range(11)]
    wilge, linde = (seconds[-1][name] - seconds[0][name] for name in (f"served/{WILGE}/1", f"served/{LINDE}/1"))
    assert wilge + linde == pytest.approx(10 * RATE, rel=0.15)
    assert linde > 1.5 * wilge


def test_whoever_comes_after_people_who_were_called_early_is_told_that_these_come_first() -> None:
    street = Street(booked_s=1.0)
    for _ in range(10):
        street.second(hinted=int(5 * RATE))
    crowd_s = 5  # the first of these seconds was called at once, and all who came then were told that much more
    street.calls_per_s = 11 * RATE
    told = street.second(hinted=0)
    early_s = 1 + crowd_s + 11
    assert told[f"booked/{WILGE}/1"] == pytest.approx(early_s, abs=1), "they were told to come when it was their turn"
    street.calls_per_s = RATE
    for _ in range(5):
        told = street.second(hinted=0)
    assert told[f"booked/{WILGE}/1"] == pytest.approx(early_s, abs=2), "the next ones are called as early"
    street.calls_per_s = 0.0
    for _ in range(20):
        told = street.second(hinted=0)
    assert told[f"booked/{WILGE}/1"] == 1, "they have come"


@given(
    st.floats(0.1, 1e4),
    st.dictionaries(st.integers(0, 9), st.tuples(st.floats(0, 1e5), st.floats(0.01, 1e4)), max_size=8),
)
def test_shares_are_never_more_than_there_is_or_than_wanted_and_nothing_is_left_while_somebody_wants(
    whole: float, asked: dict[int, tuple[float, float]]
) -> None:
    wanted, weights = ({key: pair[index] for key, pair in asked.items()} for index in (0, 1))
    shares = share_out(whole, wanted, weights)
    assert all(share <= wanted[key] * (1 + 1e-9) for key, share in shares.items())
    assert sum(shares.values()) == pytest.approx(min(whole, sum(wanted.values())), rel=1e-4)
