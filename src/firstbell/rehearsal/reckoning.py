"""From what was seen to the figures."""

from collections import Counter

from msgspec import structs

from firstbell.rehearsal.conductor import Played, mean
from firstbell.rehearsal.load.tally import Key, Tally, Waiting, count, percentile
from firstbell.rehearsal.results import (
    PREMISES,
    PRIORITIES,
    ClassFigures,
    PhaseFigures,
    Prices,
    Results,
    WaitingFigures,
)
from firstbell.rehearsal.scenarios.scenario import Phase

SETTLE_SECONDS_MAX = 5.0
SETTLE_SHARE = 0.2
"""At the beginning of a phase people have only begun their mornings; its goodput is counted from then on."""

NORMAL_TIMES, NORMAL_SECONDS = 2.0, 0.25
"""A second is normal when its p99 is under twice that of the phase before the load, or under 250 ms."""

NORMAL_IN_A_ROW = 3
BAN_SECONDS = 10
"""An address from which nobody was served for so long is shut out, whatever the reason."""

TENTHS = 10


def reckon(played: Played, *, edge: bool, lost: int, duplicates: int) -> Results:
    """The figures of a run."""
    tally = played.tally
    phases = [_phase(played, phase, from_s, until_s) for phase, from_s, until_s in played.bounds]
    heaviest = max(phases, key=lambda phase: phase.refusals_per_served)
    limit = _limit(heaviest, played.prices)
    return Results(
        scenario=played.scenario.name,
        edge=edge,
        capacity_rps=played.capacity.steps_per_s,
        prices=played.prices,
        limit=limit,
        limit_ratio=round(heaviest.goodput_ratio / limit, 4) if limit else None,
        phases=phases,
        known_device_success=_share(tally.known[True], tally.known.total()),
        attacker_served_share=_attacker_served(tally),
        stranger_sign_in_p95_s=_stranger_p95_s(tally.strangers),
        addresses_banned=_addresses_banned(played),
        waiting=_waiting(tally.waiting, end_s=played.bounds[-1][2]),
        recovery_s=_recovery_s(played),
        longest_error_s=_longest_run(tally.error_seconds),
        errors=dict(tally.errors),
        acknowledged=len(played.receipts),
        acknowledged_lost=lost,
        duplicates=duplicates,
        capacity=played.capacity,
    )


def _phase(played: Played, phase: Phase, from_s: float, until_s: float) -> PhaseFigures:
    tally, capacity = played.tally, played.capacity
    settled_s = from_s + min(SETTLE_SECONDS_MAX, SETTLE_SHARE * (until_s - from_s))
    good = count(tally.good, lambda key: settled_s <= key.second < until_s)
    goodput = good / (until_s - settled_s)
    lag_ms = _ms(percentile(tally.lags(int(from_s), int(until_s)), 0.99))
    samples = [sample for sample in played.samples if from_s <= sample.second < until_s]
    cores = mean([sample.application_cores + sample.database_cores for sample in samples])
    stolen = mean([sample.stolen_share for sample in samples])
    served = count(tally.good, lambda key: from_s <= key.second < until_s)
    refused = count(tally.refused, lambda key: from_s <= key.second < until_s)
    refused_new = count(tally.refused_new, lambda key: from_s <= key.second < until_s)
    work_us = mean([sample.work_us for sample in samples if sample.work_us])
    client_us = sum(us for second, us in tally.client_us.items() if from_s <= second < until_s)
    figures = PhaseFigures(
        name=phase.name,
        offered_x=phase.offered_x,
        goodput_rps=round(goodput, 1),
        goodput_ratio=round(goodput / capacity.steps_per_s, 4) if capacity.steps_per_s else 0.0,
        by_class={f"P{number}": _class(tally, number, from_s, until_s) for number in range(PRIORITIES)},
        p99_ms=_ms(percentile(tally.latencies(lambda key: from_s <= key.second < until_s), 0.99)),
        success={throng.name: _success(tally, throng.name, from_s, until_s) for throng in phase.throngs},
        refusals_per_served=round(refused / served, 3) if served else 0.0,
        lag_p99_ms=lag_ms,
        stolen_share=round(stolen, 3),
        speed=round(capacity.work_us / work_us, 3) if capacity.work_us and work_us else 1.0,
        cores_serving=round(cores, 3),
        attack_x=played.attack_x.get(phase.name, 0.0),
        refusals_new_per_served=round(refused_new / served, 3) if served else 0.0,
        client_cpu_us=round(client_us / max(1, served + refused), 1),
    )
    return structs.replace(figures, valid=all(premise.is_held(figures) for premise in PREMISES))


def _class(tally: Tally, priority: int, from_s: float, until_s: float) -> ClassFigures:
    def within(key: Key) -> bool:
        return key.priority == priority and from_s <= key.second < until_s

    latencies = tally.latencies(within)
    return ClassFigures(
        offered=count(tally.offered, within),
        served=count(tally.served, within),
        refused=count(tally.refused, within),
        p50_ms=_ms(percentile(latencies, 0.5)),
        p99_ms=_ms(percentile(latencies, 0.99)),
    )


def _success(tally: Tally, crowd: str, from_s: float, until_s: float) -> float:
    def within(key: Key) -> bool:
        return key.crowd == crowd and from_s <= key.second < until_s

    return _share(count(tally.served, within), count(tally.offered, within)) or 0.0


def _limit(phase: PhaseFigures, prices: Prices | None) -> float | None:
    """The share of capacity that the price of refusals leaves in this phase; None where nobody was refused."""
    if prices is None or not phase.refusals_per_served:
        return None
    kept_per_served = phase.refusals_per_served - phase.refusals_new_per_served
    return round(prices.limit(kept_per_served, phase.refusals_new_per_served), 4)


def _addresses_banned(played: Played) -> int | None:
    """How many addresses of schools got nothing for a while during an attack, though people came from them."""
    attacked = [(int(from_s), int(until_s)) for phase, from_s, until_s in played.bounds if phase.attack_x]
    if not attacked:
        return None
    seconds_of: dict[str, set[int]] = {}
    for second, address in played.tally.addresses:
        seconds_of.setdefault(address, set()).add(second)
    return sum(
        any(_longest_gap(seconds, *bounds) >= min(BAN_SECONDS, bounds[1] - bounds[0]) for bounds in attacked)
        for seconds in seconds_of.values()
    )


def _longest_gap(seconds: set[int], first: int, end: int) -> int:
    """The longest row of seconds between `first` and `end` that are not among `seconds`."""
    longest = run = 0
    for second in range(first, end):
        run = 0 if second in seconds else run + 1
        longest = max(longest, run)
    return longest


def _attacker_served(tally: Tally) -> float | None:
    served = sum(number for status, number in tally.attacks.items() if status.startswith(("2", "3")))
    return _share(served, tally.attacks["sent"])


def _stranger_p95_s(tenths: Counter[int]) -> float | None:
    rank, seen = 0.95 * tenths.total(), 0
    for tenth in sorted(tenths):
        seen += tenths[tenth]
        if seen >= rank:
            return (tenth + 1) / TENTHS
    return None


def _waiting(seen: Waiting, *, end_s: float) -> WaitingFigures:
    # Only estimates whose time was over before the end: of the others those alone are known that were too long.
    promised, kept = (
        sum(number for second, number in counted.items() if second + 1 <= end_s)
        for counted in (seen.promised, seen.kept)
    )
    return WaitingFigures(
        people=seen.people,
        admitted=seen.admitted,
        eta_within=_share(kept, promised),
        eta_rose_over_10pct=_share(seen.estimate_rose, seen.people),
        lost_places=seen.lost_places,
    )


def _recovery_s(played: Played) -> float | None:
    """Seconds from the begin of the phase `after` until three in a row are normal; None when they never are."""
    after = next(((from_s, until_s) for phase, from_s, until_s in played.bounds if phase.name == "after"), None)
    if after is None:
        return None
    _, first_s, end_s = next(
        (bound for bound in played.bounds if bound[0].throngs[0].journey == "morning"), played.bounds[0]
    )
    usual_s = percentile(played.tally.latencies(lambda key: first_s <= key.second < end_s), 0.99)
    normal_s = max(NORMAL_SECONDS, NORMAL_TIMES * usual_s)
    from_s, until_s = (int(second) for second in after)
    in_a_row = 0
    for second in range(from_s, until_s):
        in_a_row = in_a_row + 1 if _is_normal(played.tally, second, normal_s) else 0
        if in_a_row == min(NORMAL_IN_A_ROW, until_s - from_s):
            return float(second - from_s + 1 - in_a_row)
    return None


def _is_normal(tally: Tally, second: int, normal_s: float) -> bool:
    latencies = tally.latencies(lambda key: key.second == second)
    return 0 < percentile(latencies, 0.99) <= normal_s and tally.error_seconds[second] * 100 <= latencies.total()


def _longest_run(seconds: Counter[int]) -> int:
    """The longest row of seconds that follow one another."""
    longest = run = 0
    last = None
    for second in sorted(second for second, number in seconds.items() if number):
        run = run + 1 if last is not None and second == last + 1 else 1
        longest, last = max(longest, run), second
    return longest


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 5) if whole else None


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 2)
