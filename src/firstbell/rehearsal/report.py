"""The report of a rehearsal: one page of HTML that needs nothing else, light and dark, and good on paper."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from firstbell.rehearsal.conductor import HASTE, Played
from firstbell.rehearsal.load.tally import Key, percentile, together
from firstbell.rehearsal.plots import Line, Span, plot
from firstbell.rehearsal.results import PRIORITIES, PhaseFigures, Results

CLASSES = (
    "P0 hand-in, session",
    "P1 today, course, week",
    "P2 documents",
    "P3 uploads",
    "P4 search, exports",
)
STYLE = Path(__file__).with_name("report.css")


def write_report(path: Path, played: Played, results: Results) -> None:
    """Write the whole page."""
    title = f"Rehearsal: {results.scenario}"
    parts = (
        f"<header><p class=eyebrow>Firstbell rehearsal</p><h1>{escape(results.scenario)}</h1>"
        f"<p class=story>{escape(played.scenario.story)}</p>{_verdict(played, results)}</header>",
        f"<section><h2>What was wanted</h2>{_bars(played, results)}</section>",
        f"<section><h2>What was measured first</h2>{_capacity(results)}</section>",
        f"<section><h2>Phase by phase</h2>{_phases(results.phases)}{_classes(results.phases)}</section>",
        f"<section><h2>Second by second</h2>{_plots(played)}</section>",
        f"<section><h2>Beside that</h2>{_rest(results)}</section>",
    )
    path.write_text(
        f'<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f'<meta name=color-scheme content="light dark"><title>{escape(title)}</title>'
        f"<style>{STYLE.read_text()}</style><main>{''.join(parts)}</main></html>\n"
    )


def _verdict(played: Played, results: Results) -> str:
    bars = played.scenario.bars_of(edge=results.edge)
    missed = sum(not bar.is_held(results) for bar in bars)
    words = "Everything that was wanted held." if not missed else f"{missed} of {len(bars)} bars missed."
    notes = [f'<p class="verdict {"held" if not missed else "missed"}">{words}</p>']
    notes += [f"<p class=warning>{escape(doubt)}</p>" for doubt in results.doubts()]
    return "".join(notes)


def _bars(played: Played, results: Results) -> str:
    rows = []
    for bar in played.scenario.bars_of(edge=results.edge):
        verdict = "held" if bar.is_held(results) else "missed"
        rows.append((bar.sentence, bar.shown(results), bar.wanted, f"<b class={verdict}>{verdict}</b>"))
    return _table(("bar", "measured", "wanted", ""), rows)


def _capacity(results: Results) -> str:
    capacity = results.capacity
    return (
        f"<p>Capacity is the highest goodput at which the p99 of P1 stayed under 250 ms: "
        f"<b>{capacity.steps_per_s:,.0f} steps a second</b>, of {capacity.people_per_s:,.0f} people who arrive each "
        f"second; their p99 was {capacity.p99_ms:,.0f} ms and a step cost {capacity.cpu_us:,.0f} us of CPU in all "
        f"processes that serve. People read and type {HASTE:g} times faster than in a school.</p>{_prices(results)}"
    )


def _prices(results: Results) -> str:
    prices, heaviest = results.prices, max(results.phases, key=lambda phase: phase.refusals_per_served)
    if prices is None:
        return "<p>What a refusal costs was not measured.</p>"
    told = (
        f"<p>Saying no has a price: <b>{prices.refused_kept_us:,.1f} us</b> of CPU on a kept connection and "
        f"<b>{prices.refused_new_us:,.1f} us</b> on a new one, against {prices.served_us:,.0f} us for a served step."
    )
    if results.limit is not None and results.limit_ratio is not None:
        told += (
            f" In “{escape(heaviest.name)}” there were {heaviest.refusals_per_served:,.1f} refusals for each served "
            f"step, so that nobody on the same core beats <b>{results.limit:.1%}</b> of capacity; "
            f"{heaviest.goodput_ratio:.1%} was reached, which is {results.limit_ratio:.1%} of that limit."
        )
    return f"{told}</p>"


def _phases(phases: Sequence[PhaseFigures]) -> str:
    heads = (
        "phase",
        "people",
        "attack",
        "goodput /s",
        "of capacity",
        "p99 ms",
        "refusals per served",
        "cores",
        "stolen",
        "speed",
        "lag ms",
    )
    return _table(
        heads,
        [
            (
                phase.name,
                f"{phase.offered_x:g}x",
                f"{phase.attack_x:g}x" if phase.attack_x else "",
                f"{phase.goodput_rps:,.0f}",
                f"{phase.goodput_ratio:.0%}",
                f"{phase.p99_ms:,.0f}",
                f"{phase.refusals_per_served:,.2f}",
                f"{phase.cores_serving:.2f}",
                f"{phase.stolen_share:.0%}",
                f"{phase.speed:.2f}",
                f"{phase.lag_p99_ms:.1f}",
            )
            for phase in phases
        ],
    )


def _classes(phases: Sequence[PhaseFigures]) -> str:
    rows = [
        (phase.name, CLASSES[number], f"{figures.offered:,}", f"{figures.served:,}", f"{figures.refused:,}",
         f"{figures.p50_ms:,.0f}", f"{figures.p99_ms:,.0f}")
        for phase in phases
        for number in range(PRIORITIES)
        if (figures := phase.by_class[f"P{number}"]).offered
    ]  # fmt: skip
    return _table(("phase", "class", "offered", "served", "said not now", "p50 ms", "p99 ms"), rows)


def _plots(played: Played) -> str:
    tally = played.tally
    end = int(played.bounds[-1][2])
    spans = [Span(phase.name, from_s, until_s) for phase, from_s, until_s in played.bounds]
    seen = sorted({key.priority for key in tally.offered})
    latencies = tally.latency_by_second(end)
    samples = {sample.second: sample for sample in played.samples}
    figures = [
        plot("Offered", "steps a second, by class", _by_class(tally.offered, seen, end), spans),
        plot("Served within a second", "steps a second, by class", _by_class(tally.good, seen, end), spans),
        plot("Latency of what is served", "ms, logarithmic", [
            Line(f"p{share:.0%}".replace("%", ""), number, [_ms(percentile(second, share)) for second in latencies])
            for number, share in enumerate((0.5, 0.9, 0.99))
        ], spans, logarithmic=True),
        plot("Said not now, and failed", "answers a second", [
            Line("said not now", 1, _summed(tally.refused, end)),
            Line("failed", 3, [float(tally.error_seconds[second]) for second in range(end)]),
        ], spans),
        plot("Cores at work", "CPU seconds a second", [
            Line("web, jobs, NATS", 0, [samples[s].application_cores if s in samples else None for s in range(end)]),
            Line("PostgreSQL", 2, [samples[s].database_cores if s in samples else None for s in range(end)]),
        ], spans),
        plot("Memory", "MB, everything that serves", [
            Line("proportional set size", 0, [samples[s].memory_mb if s in samples else None for s in range(end)])
        ], spans),
        plot("Stolen by the host of this machine", "% of its time, though there was something to do", [
            Line("stolen", 3, [100 * samples[s].stolen_share if s in samples else None for s in range(end)])
        ], spans),
        plot("How slow this machine was", "us of CPU for a piece of work that is always the same", [
            Line("work", 3, [samples[s].work_us or None if s in samples else None for s in range(end)])
        ], spans),
        plot("Lag of the generator", "ms, p99 of each second", [
            Line("lag", 3, [_ms(percentile(tally.lags(second, second + 1), 0.99)) for second in range(end)])
        ], spans),
    ]  # fmt: skip
    if tally.estimates:
        figures.insert(4, plot("Estimates in the waiting room", "s, half and most of those shown", [
            Line("p50", 0, [_whole(tally.estimates.get(second), 0.5) for second in range(end)]),
            Line("p90", 2, [_whole(tally.estimates.get(second), 0.9) for second in range(end)]),
        ], spans))  # fmt: skip
    return "".join(figures)


def _by_class(counter: Counter[Key], seen: Sequence[int], end: int) -> list[Line]:
    seconds = {number: [0.0] * end for number in seen}
    for key, count in counter.items():
        if 0 <= key.second < end:
            seconds[key.priority][key.second] += count
    return [Line(CLASSES[number], number, seconds[number]) for number in seen]


def _summed(counter: Counter[Key], end: int) -> list[float]:
    seconds = [0.0] * end
    for key, count in counter.items():
        if 0 <= key.second < end:
            seconds[key.second] += count
    return seconds


def _rest(results: Results) -> str:
    waiting = results.waiting
    rows = [
        ("Steps served on known devices", _percent(results.known_device_success)),
        (
            "Sign-in on an unknown device, p95",
            "" if (p95 := results.stranger_sign_in_p95_s) is None else f"{p95:.1f} s",
        ),
        ("Requests of attackers that were served", _percent(results.attacker_served_share)),
        ("People who waited, and were let in", f"{waiting.people:,}, {waiting.admitted:,}"),
        ("Let in within the estimate", _percent(waiting.eta_within)),
        ("Saw an estimate that rose by more than a tenth", _percent(waiting.eta_rose_over_10pct)),
        ("Lost their place", f"{waiting.lost_places:,}"),
        ("Normal again after the load", "never" if results.recovery_s is None else f"{results.recovery_s:g} s"),
        ("Goodput against the limit that refusals set", _percent(results.limit_ratio)),
        (
            "Writes acknowledged, lost, twice",
            f"{results.acknowledged:,}, {results.acknowledged_lost:,}, {results.duplicates:,}",
        ),
        *((f"Error: {name}", f"{count:,}") for name, count in sorted(results.errors.items())),
    ]
    return _table(("", ""), rows)


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells hold markup that this module made, so only the first, a name, is escaped."""
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr><th scope=row>{escape(first)}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    return f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{share:.2%}"


def _ms(seconds: float) -> float | None:
    return seconds * 1_000 if seconds else None


def _whole(estimates: Counter[int] | None, share: float) -> float | None:
    """A percentile of whole seconds."""
    rank = share * together([estimates or Counter()]).total()
    seen = 0
    for seconds in sorted(estimates or ()):
        seen += (estimates or Counter())[seconds]
        if seen >= rank:
            return float(seconds)
    return None
