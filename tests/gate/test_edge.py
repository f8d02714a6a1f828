"""What the edge is told of the gate."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from firstbell.app import declared_routes
from firstbell.gate.announcement import CLOCK, LEVEL, LINE, Announcement
from firstbell.gate.asker import Declared
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
    gauges: list[Collector] = [CLOCK, LEVEL, LINE]
    for gauge in gauges:
        registry.register(gauge)
    return generate_latest(registry).decode()


def test_the_edge_reads_what_the_gate_announces_for_every_host_of_a_school() -> None:
    announcement = Announcement(lambda school: HOSTS.get(school, ()))
    lines = {LineKey(WILGE, Lane.KNOWN): 177_000_000, LineKey(LINDE, Lane.UNKNOWN): 177_000_001}
    announcement.tell(1_770_000_000.5, {WILGE: 300, LINDE: LEVELS - 1, b"": 5}, lines)
    told = read_metrics([published()])
    assert told.clock_s == 1_770_000_000.5
    assert {host: level for host, level in told.levels.items() if level < LEVELS - 1} == {
        "wilge.example": 300,
        "www.wilge.example": 300,
    }
    entries = Cell("cell1", 400).entries(told, 1_770_000_000.0)
    assert entries["line/wilge.example/0"] == 177_000_000
    assert entries["line/linde.example/1"] == 177_000_001
    assert entries["faces/wilge.example"] == 10, "the least, when nobody is let in"
    announcement.tell(1_770_000_001.0, {}, {})
    peace = Cell("cell1", 400).entries(read_metrics([published()]), 1_770_000_001.0)
    assert peace == {"written/cell1": 1_770_000_001, "clock/cell1": 0}


def test_of_several_nodes_the_most_generous_is_believed() -> None:
    strict = 'firstbell_gate_level{host="a"} 100.0\nfirstbell_gate_line{host="a",lane="known"} 7.0\n'
    generous = 'firstbell_gate_level{host="a"} 200.0\nfirstbell_gate_line{host="a",lane="known"} 9.0\n'
    told = read_metrics([generous, strict, "other_metric 5\n"])
    assert told == Told(0.0, 0.0, {"a": 200}, {("a", Lane.KNOWN): 9})


def test_the_edge_cuts_only_where_the_gate_has_cut_for_some_seconds() -> None:
    cell = Cell("cell1", 400)
    seen = [
        cell.entries(Told(0.0, 0.0, {"a": level}, {}), float(second)).get("level/a")
        for second, level in enumerate([LEVELS - 1, 100, 50, 200, 150, LEVELS - 1])
    ]
    assert seen == [None, None, None, 200, 200, None]


def test_new_faces_come_twice_as_fast_as_people_are_let_in() -> None:
    nodes = ['firstbell_gate_state{what="entries_per_s"} 40.0\nfirstbell_gate_line{host="a",lane="known"} 7.0\n'] * 2
    told = read_metrics(nodes)
    assert Cell("cell1", 400).entries(told, 0.0)["faces/a"] == 160
    assert Cell("cell1", 100).entries(told, 0.0)["faces/a"] == 100
    told.lines["b", Lane.KNOWN] = 7
    assert Cell("cell1", 400).entries(told, 0.0)["faces/a"] == 80
    assert Cell("cell1", 400).entries(only_hosts(told, {"a"}), 0.0)["faces/a"] == 160
    assert only_hosts(told, {"*"}) == told


def test_a_cell_at_another_hour_says_how_far_its_clock_is_ahead() -> None:
    assert Cell("cell1", 400).entries(Told(clock_s=5_000.4), 2_000.0)["clock/cell1"] == 3_000


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
