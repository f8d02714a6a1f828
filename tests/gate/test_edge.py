"""What the edge is told of the gate."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from firstbell.app import declared_routes
from firstbell.gate.announcement import BOOKED, CALLS, CLOCK, LEVEL, LINE, SIZE, Announcement
from firstbell.gate.asker import Declared
from firstbell.gate.calls import READY_S, RETURN_S, Calls
from firstbell.gate.cursor import LEVELS
from firstbell.gate.edge import Cell, Told, class_maps, only_hosts, read_metrics
from firstbell.gate.edge_pages import edge_pages
from firstbell.gate.line import Lane, LineKey
from firstbell.kernel.routes import Priority
from firstbell.rehearsal.edge import CONFIGURATION

WILGE, LINDE = b"w" * 16, b"l" * 16
HOSTS = {WILGE: ("wilge.example", "www.wilge.example"), LINDE: ("linde.example",)}


@pytest.fixture(scope="module")
def routes() -> list[Declared]:
    """Those of the application."""
    return declared_routes()


def published() -> str:
    """The gauges as a node shows them."""
    registry = CollectorRegistry()
    gauges: list[Collector] = [BOOKED, CALLS, CLOCK, LEVEL, LINE, SIZE]
    for gauge in gauges:
        registry.register(gauge)
    return generate_latest(registry).decode()


def test_the_edge_reads_what_the_gate_announces_for_every_host_of_a_school() -> None:
    announcement = Announcement(lambda school: HOSTS.get(school, ()), {WILGE: 900.0, LINDE: 300.0}.__getitem__)
    lines = {LineKey(WILGE, Lane.KNOWN): 177_000_000, LineKey(LINDE, Lane.UNKNOWN): 177_000_001}
    calls = Calls(lambda school: 1.0)
    calls.turn(1_770_000_000.5, 7.0, 1.0, 7.0)
    announcement.tell(1_770_000_000.5, {WILGE: 300, LINDE: LEVELS - 1, b"": 5}, lines, calls)
    told = read_metrics([published()])
    assert told.clock_s == 1_770_000_000.5
    assert {host: level for host, level in told.levels.items() if level < LEVELS - 1} == {
        "wilge.example": 300,
        "www.wilge.example": 300,
    }
    assert told.sizes == {"wilge.example": 900, "www.wilge.example": 900, "linde.example": 300}
    assert told.calls_per_s == pytest.approx(7 * (1 + READY_S / RETURN_S))
    entries = Cell("cell1").entries(told, 1_770_000_000.0, {}, {})
    assert entries["line/wilge.example/0"] == 177_000_000
    assert entries["line/linde.example/1"] == 177_000_001
    announcement.tell(1_770_000_001.0, {}, {}, Calls(lambda school: 1.0))
    peace = Cell("cell1").entries(read_metrics([published()]), 1_770_000_001.0, {}, {})
    assert peace == {"written/cell1": 1_770_000_001, "clock/cell1": 0}


def test_of_several_nodes_the_most_generous_is_believed() -> None:
    strict = 'firstbell_gate_level{host="a"} 100.0\nfirstbell_gate_line{host="a",lane="known"} 7.0\n'
    generous = 'firstbell_gate_level{host="a"} 200.0\nfirstbell_gate_line{host="a",lane="known"} 9.0\n'
    told = read_metrics([generous, strict, "other_metric 5\n"])
    assert told == Told(levels={"a": 200}, lines={("a", Lane.KNOWN): 9})


def test_the_edge_cuts_only_where_the_gate_has_cut_for_some_seconds() -> None:
    cell = Cell("cell1")
    seen = [
        cell.entries(Told(levels={"a": level}), float(second), {}, {}).get("level/a")
        for second, level in enumerate([LEVELS - 1, 100, 50, 200, 150, LEVELS - 1])
    ]
    assert seen == [None, None, None, 200, 200, None]


def test_what_several_nodes_let_in_is_added_up_and_only_the_hosts_of_this_edge_count() -> None:
    node = (
        'firstbell_gate_state{what="entries_per_s"} 40.0\nfirstbell_gate_booked_seconds 2.5\n'
        'firstbell_gate_calls 30.0\nfirstbell_gate_line{host="a",lane="known"} 7.0\n'
        'firstbell_gate_line{host="b",lane="known"} 7.0\n'
    )
    told = read_metrics([node, node])
    assert (told.entries_per_s, told.calls_per_s, told.booked_s) == (80, 60, 2.5)
    assert only_hosts(told, {"*"}) == told
    entries = Cell("cell1").entries(only_hosts(told, {"a"}), 0.0, {"a": (0, 0, 0)}, {})
    assert (entries["line/a/0"], "line/b/0" in entries) == (7, False)
    assert (entries["waiting/cell1"], entries["booked/a/0"]) == (0, 3)


def test_a_cell_at_another_hour_says_how_far_its_clock_is_ahead() -> None:
    assert Cell("cell1").entries(Told(clock_s=5_000.4), 2_000.0, {}, {})["clock/cell1"] == 3_000
    assert Cell("cell1").entries(Told(clock_s=1_999.1), 2_000.0, {}, {})["clock/cell1"] == 0, "it was told a second ago"


def test_a_worker_that_is_late_has_no_other_clock() -> None:
    cell = Cell("cell1")
    told = [cell.entries(Told(clock_s=now_s - late_s), now_s, {}, {}) for now_s, late_s in ((2_000, 0.5), (2_001, 4.0))]
    assert [entries["clock/cell1"] for entries in told] == [0, 0], "or places would seem lost"


def test_the_maps_of_classes_are_those_of_the_routes(routes: list[Declared]) -> None:
    for name, text in zip(("paths", "prefixes"), class_maps(routes), strict=True):
        assert (CONFIGURATION / f"maps/{name}.map").read_text() == text, "run firstbell edge classes deploy/edge/maps"


def test_the_pages_of_the_edge_are_as_they_are_written() -> None:
    folder = CONFIGURATION / "pages"
    pages = edge_pages()
    assert {file.stem for file in folder.iterdir()} == set(pages)
    for name, text in pages.items():
        assert (folder / f"{name}.html").read_text() == text, "run firstbell edge pages deploy/edge/pages"


def test_the_edge_never_thinks_a_route_less_urgent_than_the_gate_does(routes: list[Declared]) -> None:
    routes = [route for route in routes if "priority" in route.opt]
    paths, beginnings = (
        dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        for text in class_maps(routes)
    )
    for method, path, opt in routes:
        asked = method + path.replace("{", "7{").partition("{")[0]
        found = (
            paths.get(asked)
            or max(
                ((key, value) for key, value in beginnings.items() if asked.startswith(key)),
                key=lambda pair: len(pair[0]),
            )[1]
        )
        assert int(found) <= opt["priority"], asked
    assert Priority.P0 in {opt["priority"] for _, _, opt in routes}
