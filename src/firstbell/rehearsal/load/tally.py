"""What the generators saw, by second, crowd and class; small enough to send every second, and it adds up."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import ceil, log2
from typing import NamedTuple

BUCKETS_PER_DOUBLING = 12
"""A percentile read from the buckets is at most 6 % too high."""

MICROSECOND = 1e-6
GOOD_SECONDS = 1.0
"""An answer that took longer is served, but it is no goodput: the page was tapped again by then."""


class Key(NamedTuple):
    """Where a count belongs: second of the run, name of the crowd, class of the step (0 is P0)."""

    second: int
    crowd: str
    priority: int


def bucket_of(seconds: float) -> int:
    """The bucket of a latency; microseconds and less are the first."""
    return ceil(BUCKETS_PER_DOUBLING * log2(seconds * 1e6)) if seconds > MICROSECOND else 0


def seconds_of(bucket: int) -> float:
    """The upper end of a bucket."""
    return float(2 ** (bucket / BUCKETS_PER_DOUBLING) / 1e6)


def percentile(buckets: Counter[int], share: float) -> float:
    """The latency in seconds which `share` of the answers did not exceed; 0 when there were none."""
    rank = ceil(share * buckets.total())
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= rank:
            return seconds_of(bucket)
    return 0.0


@dataclass(slots=True)
class Waiting:
    """How people fared in the waiting room."""

    people: int = 0
    admitted: int = 0
    promised: Counter[int] = field(default_factory=Counter)
    """First estimates, by the second until which whoever saw one has to be let in for it to be true."""
    kept: Counter[int] = field(default_factory=Counter)
    """Those of them that came true."""
    estimate_rose: int = 0
    lost_places: int = 0


@dataclass(slots=True)
class Tally:
    """Counts of steps. One that is refused, waits and is served later was offered once."""

    offered: Counter[Key] = field(default_factory=Counter)
    """By the second at which each was due."""
    served: Counter[Key] = field(default_factory=Counter)
    """By the second at which each was due, so that no phase is praised for what was asked in another."""
    good: Counter[Key] = field(default_factory=Counter)
    """Those that were fast, by the second of the answer."""
    refused: Counter[Key] = field(default_factory=Counter)
    """Answers that say not now, each time that they say it, by the second of the answer."""
    refused_new: Counter[Key] = field(default_factory=Counter)
    """Those of them for which a connection was opened."""
    given_up: Counter[Key] = field(default_factory=Counter)
    latency: dict[Key, Counter[int]] = field(default_factory=dict)
    """By the second of the answer."""
    errors: Counter[str] = field(default_factory=Counter)
    error_seconds: Counter[int] = field(default_factory=Counter)
    """Failures in each second of the run."""
    known: Counter[bool] = field(default_factory=Counter)
    """Steps on known devices that ended well, and that did not."""
    strangers: Counter[int] = field(default_factory=Counter)
    """How long honest sign-ins on unknown devices took, from arriving until signed in without the typing, in 0.1 s."""
    lag: dict[int, Counter[int]] = field(default_factory=dict)
    """How late the generator itself was, by second."""
    client_us: Counter[int] = field(default_factory=Counter)
    """CPU microseconds that the generator of people took itself, by second."""
    addresses: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Steps that were served in each second to people at a school, by the address that they share."""
    attacks: Counter[str] = field(default_factory=Counter)
    """Status lines that attackers read, `sent` and what failed."""
    estimates: dict[int, Counter[int]] = field(default_factory=dict)
    """Estimates that were shown in each second, in whole seconds."""
    waiting: Waiting = field(default_factory=Waiting)
    people: int = 0

    def serve(self, key: Key, at_s: float, seconds: float) -> None:
        """Count a step under `key` that at `at_s` got what it wanted, `seconds` after it was asked for."""
        self.served[key] += 1
        answered = key._replace(second=int(at_s))
        if seconds <= GOOD_SECONDS:
            self.good[answered] += 1
        self.latency.setdefault(answered, Counter())[bucket_of(seconds)] += 1

    def refuse(self, key: Key, *, is_new: bool) -> None:
        """Count a refusal under `key`, which has the second of the answer."""
        self.refused[key] += 1
        if is_new:
            self.refused_new[key] += 1

    def note_lag(self, at_s: float, seconds: float) -> None:
        """Count that at `at_s` the generator was late by `seconds`."""
        _histogram(self.lag, int(at_s))[bucket_of(seconds)] += 1

    def estimate(self, at_s: float, seconds: int) -> None:
        """Count an estimate that was shown at `at_s`."""
        _histogram(self.estimates, int(at_s))[seconds] += 1

    def fail(self, at_s: float, reason: str) -> None:
        """Count a try that failed at `at_s` for another reason than a refusal."""
        self.errors[reason] += 1
        self.error_seconds[int(at_s)] += 1

    def add(self, other: "Tally") -> None:
        """Add what another generator, or a later second, saw."""
        for name in ("offered", "served", "good", "refused", "refused_new", "given_up"):
            getattr(self, name).update(getattr(other, name))
        for name in ("errors", "error_seconds", "known", "strangers", "attacks", "client_us", "addresses"):
            getattr(self, name).update(getattr(other, name))
        for mine, theirs in ((self.lag, other.lag), (self.estimates, other.estimates)):
            for second, buckets in theirs.items():
                mine.setdefault(second, Counter()).update(buckets)
        for key, buckets in other.latency.items():
            self.latency.setdefault(key, Counter()).update(buckets)
        for name in Waiting.__slots__:
            setattr(self.waiting, name, getattr(self.waiting, name) + getattr(other.waiting, name))
        self.people += other.people

    def latencies(self, wanted: Callable[[Key], bool]) -> Counter[int]:
        """The latencies under all keys that are `wanted`, together."""
        return together(buckets for key, buckets in self.latency.items() if wanted(key))

    def latency_by_second(self, end: int) -> list[Counter[int]]:
        """The latencies of all crowds and classes in each second until before `end`."""
        seconds: list[Counter[int]] = [Counter() for _ in range(end)]
        for key, buckets in self.latency.items():
            if 0 <= key.second < end:
                seconds[key.second].update(buckets)
        return seconds

    def lags(self, first: int, end: int) -> Counter[int]:
        """The generator's own lateness from second `first` until before `end`."""
        return together(buckets for second, buckets in self.lag.items() if first <= second < end)


def count(counter: Counter[Key], wanted: Callable[[Key], bool]) -> int:
    """The sum under all keys that are `wanted`."""
    return sum(number for key, number in counter.items() if wanted(key))


def together(many: Iterable[Counter[int]]) -> Counter[int]:
    """The sum of histograms."""
    whole: Counter[int] = Counter()
    for buckets in many:
        whole.update(buckets)
    return whole


def _histogram(of: dict[int, Counter[int]], second: int) -> Counter[int]:
    """The one of that second; most are there, and `setdefault` would make another Counter each time."""
    if second not in of:
        of[second] = Counter()
    return of[second]
