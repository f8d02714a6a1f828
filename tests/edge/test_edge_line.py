"""The line at the edge, asked of the real HAProxy: who came earlier is called earlier, and a forged arrival is none."""

import re
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import pytest

from firstbell.kernel.engines import free_port
from firstbell.rehearsal.edge import CONFIGURATION, Edge, find_haproxy
from tests.conftest import wait_until
from tests.edge.conftest import Front

WILGE, LINDE = "wilge.example", "linde.example"
PROVEN, HINTED, STRANGER = range(3)
KNOWN = "device=d"
ADVANCE = 100
"""Ten times as many come as are called: in a second those of the next 100 ms are."""
FIRST_OF_LANE = {STRANGER: "", HINTED: KNOWN}


def hold(
    front: Front, *, host: str = WILGE, served: int = 0, served_until: float = 0.0, per_s: int = 1, booked: int = 0
) -> None:
    """Let so many people of each lane be called, and in a later breath who came until then, in seconds since 1970."""
    told = {"waiting/cell1": 500, "clock/cell1": 0}
    for lane in (PROVEN, HINTED, STRANGER):
        told[f"served/{host}/{lane}"] = served
        told[f"served_until/{host}/{lane}"] = int(served_until * 1_000)
        told[f"pace/{host}/{lane}"] = per_s * 1_000
        told[f"advance/{host}/{lane}"] = ADVANCE
        told[f"booked/{host}/{lane}"] = booked
    front.tell(age_s=-60, **told)


def come(front: Front, cookie: str = KNOWN, **headers: str) -> httpx.Response:
    return front.ask(host=WILGE, cookie=cookie, **headers)


def place_of(answer: httpx.Response) -> tuple[int, int]:
    """What the page of the line shows: seconds since one came, and until one is called, both since then."""
    assert answer.status_code == 503
    shown = re.search(r'<progress value="(\d+)" max="(\d+)"', answer.text)
    assert shown
    return int(shown[1]), int(shown[2])


def called(answer: httpx.Response) -> list[str]:
    """What the edge tells the gate of somebody who was called."""
    return [value for name, value in answer.json()["headers"] if name == "x-called"]


def test_who_is_told_to_wait_keeps_the_place_and_the_estimate_over_refresh(front: Front) -> None:
    hold(front, per_s=2)
    first = come(front)
    arrival = f"{KNOWN}; arrival={first.cookies['arrival']}"
    assert place_of(first) == (0, 1)
    for _ in range(29):
        come(front)
    waited, whole = place_of(come(front))
    assert (waited, whole) == (0, 16), "31 people at two a second"
    again = come(front, arrival)
    assert place_of(again)[1] == 1, "however many came behind them"
    assert "arrival" not in again.cookies
    hold(front, per_s=1)
    assert place_of(come(front, arrival))[1] == 1, "an estimate never rises"


def test_nobody_passes_before_their_turn_and_who_came_earlier_passes_first(front: Front) -> None:
    hold(front)
    early = come(front).cookies["arrival"]
    time.sleep(0.05)
    between = time.time()
    time.sleep(0.05)
    late = come(front).cookies["arrival"]
    assert [come(front, f"{KNOWN}; arrival={arrival}").status_code for arrival in (early, late)] == [503, 503]
    hold(front, served=1, served_until=between)
    assert come(front, f"{KNOWN}; arrival={early}").status_code == 200
    assert come(front, f"{KNOWN}; arrival={late}").status_code == 503
    assert come(front).status_code == 503, "who comes now goes behind both"


def test_who_is_called_is_named_to_the_gate_by_the_key_that_only_the_edge_has(front: Front) -> None:
    hold(front, served=1)
    key = front.process.environment["EDGE_KEY"]
    now = time.time()
    told = called(come(front, x_called="mine 1 1 0"))
    assert len(told) == 1
    words = told[0].split()
    assert words[0] == key
    assert [abs(int(word) - now) < 5 for word in words[1:3]] == [True, True]
    assert words[3] == "500"
    front.tell()
    assert called(come(front, x_called="mine 1 1 0"))[0].split()[3] == "0", "in peace everybody is called at once"
    front.tell(age_s=7)
    assert called(come(front, x_called=f"{key} 1 1 0")) == [], "and nobody by an edge that hears nothing"


@pytest.mark.parametrize("lie", ["lane", "earlier", "sooner", "code", "rubbish", "school"])
def test_a_forged_arrival_is_worth_nothing(front: Front, lie: str) -> None:
    hold(front)
    lane, came, promised, code = come(front).cookies["arrival"].split(".")
    forged = {
        "lane": f"0.{came}.{promised}.{code}",
        "earlier": f"{lane}.{int(came) - 60_000}.{promised}.{code}",
        "sooner": f"{lane}.{came}.{int(promised) - 60}.{code}",
        "code": f"{lane}.{came}.{promised}.{code[:-1]}",
        "rubbish": "1",
        "school": f"{lane}.{came}.{promised}.{code}",
    }[lie]
    hold(front, host=LINDE if lie == "school" else WILGE, served_until=time.time() - 30)
    answer = front.ask(host=LINDE if lie == "school" else WILGE, cookie=f"{KNOWN}; arrival={forged}")
    assert answer.status_code == 503
    assert place_of(answer)[0] == 0, "they come now, like anybody"
    assert answer.cookies["arrival"] != forged


def test_an_arrival_holds_for_three_hours(front: Front) -> None:
    hold(front)
    arrival = come(front).cookies["arrival"]
    hold(front, served_until=time.time() + 60)
    assert come(front, f"{KNOWN}; arrival={arrival}").status_code == 200


def test_proven_devices_hinted_ones_and_strangers_stand_in_lines_of_their_own(front: Front) -> None:
    hold(front)
    come(front, "device=t.believed; inside=i", believed="yes")
    lanes = [come(front, cookie).cookies["arrival"][0] for cookie in ("device=t.believed", KNOWN, "x=1")]
    assert lanes == ["0", "1", "2"]
    hold(front)
    front.command(f"set map {front.process.maps / 'gate.map'} served/{WILGE}/0 2")
    assert [come(front, cookie).status_code for cookie in ("device=t.believed", KNOWN)] == [200, 503]


def test_nobody_inside_no_hand_in_and_no_program_is_held(front: Front) -> None:
    hold(front)
    assert come(front, f"{KNOWN}; inside=i").status_code == 200
    assert come(front, f"{KNOWN}; access=a").status_code == 200
    assert front.ask("/session/refresh", host=WILGE, method="POST", cookie=KNOWN).status_code == 200
    assert come(front, accept="application/json").status_code == 200, "the gate tells programs when to come back"


def test_a_school_of_which_nothing_was_told_yet_is_not_held(front: Front) -> None:
    hold(front)
    assert called(front.ask(host=LINDE, cookie=KNOWN)), "and its people are called"


def test_without_a_gate_that_speaks_everybody_passes(front: Front) -> None:
    hold(front)
    assert come(front).status_code == 503
    front.tell(age_s=7, **{"waiting/cell1": 500, f"served/{WILGE}/{HINTED}": 0})
    assert come(front).status_code == 200


def test_who_is_called_soon_comes_back_just_then(front: Front) -> None:
    hold(front, per_s=10)
    answers = [come(front) for _ in range(61)]
    asked = {int(answer.headers["retry-after"]) for answer in answers[59:]}
    assert asked <= {7, 8, 9}, "six seconds, and a little for chance"


def test_who_is_called_late_looks_again_before(front: Front) -> None:
    hold(front, per_s=1)
    for _ in range(59):
        come(front)
    called_until = time.time() - 4
    arrival = f"{KNOWN}; arrival={come(front).cookies['arrival']}"
    hold(front, served_until=called_until)
    asked = [int(come(front, arrival).headers["retry-after"]) for _ in range(10)]
    assert set(asked) <= set(range(23, 38)), "three quarters of 40 s, a fifth more or less"
    assert len(set(asked)) > 1, "they would all come back at once"
    hold(front, served_until=called_until, booked=40)
    assert min(int(come(front, arrival).headers["retry-after"]) for _ in range(10)) > 38, "who is booked goes before"


def test_who_waited_longer_than_promised_comes_when_called(front: Front) -> None:
    hold(front, per_s=100)
    called_until = time.time() - 2
    arrival = f"{KNOWN}; arrival={come(front).cookies['arrival']}"
    time.sleep(6)
    hold(front, served_until=called_until)
    asked = [int(come(front, arrival).headers["retry-after"]) for _ in range(10)]
    assert set(asked) <= set(range(11, 20))


def test_the_many_who_wait_share_five_hundred_questions_a_second(front: Front) -> None:
    hold(front)
    front.command(f"set map {front.process.maps / 'gate.map'} waiting/cell1 200000")
    front.command(f"set map {front.process.maps / 'gate.map'} pace/{WILGE}/{HINTED} 1")
    asked = int(come(front).headers["retry-after"])
    assert 320 <= asked <= 480


def test_a_place_in_the_line_of_the_gate_is_kept_when_people_begin_to_wait_at_the_edge(front: Front) -> None:
    front.tell()
    before = come(front, gives="ticket")
    hold(front, served_until=time.time() + 1)
    assert come(front, f"{KNOWN}; arrival={before.cookies['arrival']}").status_code == 200
    assert come(front, KNOWN).status_code == 503


@pytest.mark.long
def test_a_reload_keeps_who_came_and_which_devices_are_proven(cell: int) -> None:
    with tempfile.TemporaryDirectory(prefix="firstbell-edge-") as folder:
        edge = Edge(Path(folder), cell, [WILGE], EDGE_PEER=f"127.0.0.1:{free_port()}")
        edge.start()
        front = Front(edge)
        try:
            hold(front)
            come(front, "device=t.believed; inside=i", believed="yes")
            arrival = come(front).cookies["arrival"]
            time.sleep(11)  # until then it looks for a process before it, and hands nothing on
            files = [word for name in ("haproxy.cfg", "cells.cfg") for word in ("-f", str(CONFIGURATION / name))]
            command = [find_haproxy(), *files, "-sf", str(edge.pid)]
            with subprocess.Popen(command, env=edge.environment, stderr=subprocess.DEVNULL) as reloaded:
                try:
                    wait_until(lambda: f"Pid: {reloaded.pid}\n" in front.command("show info"))
                    wait_until(lambda: "gpc1=1" in front.command("show table schools"))
                    wait_until(lambda: "used:1" in front.command("show table devices"))
                    hold(front)
                    assert come(front, f"{KNOWN}; arrival={arrival}").status_code == 503
                    hold(front, served_until=time.time())
                    assert come(front, f"{KNOWN}; arrival={arrival}").status_code == 200
                finally:
                    reloaded.terminate()
        finally:
            edge.stop()
