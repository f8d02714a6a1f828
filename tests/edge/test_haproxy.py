"""What the edge holds, asked of the real HAProxy with the configuration of `deploy/edge`."""

import base64
import hashlib
import re
import socket
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pytest

from firstbell.kernel.engines import free_port
from firstbell.rehearsal.edge import CONFIGURATION, Edge
from tests.conftest import wait_until
from tests.edge.conftest import Front, ticket_cookie

WILGE, LINDE = "wilge.example", "linde.example"
PUPILS = "127.64.0.1"
"""Where a school's pupils and whoever attacks from among them come from."""

FLOOD = 1_060
"""More strangers than a school has in 10 s, even on its first day."""


def headers_seen(answer: httpx.Response) -> dict[str, str]:
    return dict(answer.json()["headers"])


def flood(front: Front, number: int = FLOOD, *, source: str = PUPILS, cookie: str = "") -> None:
    """So many requests on one connection, without cookies or with a made-up one."""
    with socket.create_connection(front.address, source_address=(source, 0)) as line:
        given = f"cookie: {cookie}\r\n" if cookie else ""
        request = f"GET / HTTP/1.1\r\nhost: {WILGE}\r\naccept: text/html\r\n{given}\r\n".encode()
        heard = 0
        sender = threading.Thread(target=line.sendall, args=(request * number,))
        sender.start()
        while heard < number:
            data = line.recv(1 << 20)
            assert data, "the flood was cut off"
            heard += data.count(b"HTTP/1.1 ")
        sender.join()


def prove(front: Front, device: str, source: str = PUPILS) -> None:
    """Let the cell believe the pass of a device."""
    answer = front.ask("/", host=WILGE, source=source, cookie=f"device={device}", believed="yes")
    assert "x-device" not in answer.headers, "that is between the gate and the edge"


def test_a_host_is_mapped_to_its_cell_and_another_is_answered_at_the_edge(front: Front) -> None:
    assert front.ask("/courses/7?a=b", host=f"{WILGE.upper()}:8443").json()["path"] == "/courses/7"
    elsewhere = front.ask(host="elsewhere.example")
    assert (elsewhere.status_code, "Hier is geen school" in elsewhere.text) == (404, True)
    program = front.ask(host="elsewhere.example", accept="application/json")
    assert (program.status_code, program.headers["content-type"]) == (404, "application/problem+json")


def test_what_a_client_says_of_its_address_is_not_believed(front: Front) -> None:
    claims = {"x-forwarded-for": "10.9.9.9", "x-real-ip": "10.9.9.9", "forwarded": "for=10.9.9.9"}
    answer = front.ask(host=WILGE, source=PUPILS, x_forwarded_host="other", x_request_id="mine", **claims)
    assert [value for name, value in answer.json()["headers"] if name == "x-forwarded-for"] == [PUPILS]
    assert "10.9.9.9" not in answer.text
    assert not {"x-real-ip", "forwarded", "x-forwarded-host", "x-request-id"} & headers_seen(answer).keys()


@pytest.mark.parametrize("path", ["/metrics", "/ready", "/health"])
def test_what_machines_ask_is_not_for_the_world(front: Front, path: str) -> None:
    assert front.ask(path, host=WILGE).status_code == 404


def test_the_level_cuts_the_last_class_first_and_never_a_hand_in(front: Front) -> None:
    asked = [("GET", "/search", 4), ("GET", "/people/7", 2), ("GET", "/", 1), ("POST", "/session/refresh", 0)]
    for cut, kept in ((4 * 128, 4), (3 * 128, 2), (128, 1), (0, 0)):
        front.tell(**{f"level/{WILGE}": cut})
        for method, path, priority in asked:
            status = front.ask(path, host=WILGE, method=method, cookie="access=a").status_code
            assert status == (200 if priority <= kept else 503), (cut, path)
    assert front.ask("/search", host=LINDE, cookie="access=a").status_code == 200


def test_a_form_that_is_refused_stays_in_the_browser(front: Front) -> None:
    front.tell(**{f"level/{WILGE}": 0})
    page = front.ask("/courses", host=WILGE, cookie="access=a")
    assert 4 <= int(page.headers["refresh"]) <= 12
    form = front.ask("/folders", host=WILGE, method="POST", cookie="access=a")
    assert form.status_code == 503
    assert "Wat je invulde, is nog niet verstuurd" in form.text
    assert "refresh" not in form.headers
    assert 'http-equiv="refresh"' not in form.text


def test_what_was_told_over_five_seconds_ago_counts_no_more(front: Front) -> None:
    told = {f"level/{WILGE}": 0, "waiting/cell1": 9, f"line/{WILGE}/0": 1}
    now = time.time()
    waiting = f"ticket={ticket_cookie(bucket=int(now // 10), came_at=now, promised_at=now + 300)}"
    front.tell(age_s=0, **told)
    assert [front.ask(host=WILGE, cookie=cookie).status_code for cookie in ("device=a", waiting)] == [503, 503]
    front.tell(age_s=7, **told)
    assert [front.ask(host=WILGE, cookie=cookie).status_code for cookie in ("device=a", waiting)] == [200, 200]


def test_a_flood_is_refused_while_a_device_that_the_gate_believed_passes_from_the_same_address(front: Front) -> None:
    front.tell()
    prove(front, "t.believed")
    flood(front)
    refused = front.ask(host=WILGE, source=PUPILS)
    assert refused.status_code == 503
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    assert 1 <= int(refused.headers["refresh"]) <= 2
    assert {"Een ogenblik", "Un instant", "One moment"} <= set(re.findall(r"<h[12]>(.*?)</h", refused.text))
    passed = [front.ask(host=WILGE, source=PUPILS, cookie="device=t.believed").status_code for _ in range(20)]
    assert passed == [200] * 20
    assert front.ask(host=WILGE, source="127.64.0.2").status_code == 200, "a stranger at home is not the flood"
    assert front.ask(host=LINDE, source="127.64.0.2").status_code == 200, "nor is another school flooded"


def test_a_browser_comes_through_a_flood_from_its_own_address_at_the_second_try(front: Front) -> None:
    front.tell()
    flood(front)
    with front.browser(PUPILS) as browser:
        browser.headers.update({"host": WILGE, "accept": "text/html"})
        assert browser.get("/sign-in").status_code == 503
        assert browser.get("/sign-in").status_code == 200
    assert front.ask(host=WILGE, source=PUPILS).status_code == 503


@pytest.mark.long
def test_forged_cookies_in_numbers_win_no_more_than_an_address_has(front: Front) -> None:
    front.tell(age_s=-60)  # the flood takes longer than what is told is believed
    flood(front, 21_000, cookie="device=forged")
    answers = [front.ask(host=WILGE, source="127.64.0.2", cookie="device=forged").status_code for _ in range(8)]
    assert answers[:5] == [200] * 5
    assert answers[-1] == 503


def test_a_program_is_refused_in_its_own_words(front: Front) -> None:
    front.tell()
    flood(front)
    refused = [front.ask(host=WILGE, source=PUPILS, accept="application/json") for _ in range(12)]
    assert {answer.headers["content-type"] for answer in refused} == {"application/problem+json"}
    assert {answer.json()["status"] for answer in refused} == {503}
    assert len({answer.headers["retry-after"] for answer in refused}) > 1, "they would all come back at once"


def test_a_pass_proves_something_only_once_the_gate_believed_it(front: Front) -> None:
    front.tell()
    front.ask(host=WILGE, cookie="device=forged; inside=forged; access=forged; ticket=forged")
    assert "used:0" in front.command("show table devices")
    prove(front, "t.believed")
    assert "used:1" in front.command("show table devices")
    assert "believed" not in front.command("show table devices"), "whoever reads the table may not become the device"


def test_a_place_in_the_line_is_shown_without_asking_the_gate(front: Front) -> None:
    now, ahead = time.time(), 3_600
    gate = now + ahead  # a rehearsal plays at another time of day
    bucket = int(gate // 10)
    front.tell(**{"clock/cell1": ahead, "waiting/cell1": 0, f"line/{WILGE}/0": bucket - 5})

    def come(**place: float) -> httpx.Response:
        ticket = ticket_cookie(**{"bucket": bucket, "came_at": gate - 60, "promised_at": gate + 240, **place})
        return front.ask(host=WILGE, cookie=f"device=d; ticket={ticket}")

    waits = come()
    assert waits.status_code == 503
    assert "About 4&nbsp;min" in waits.text
    shown = re.search(r'<progress value="(\d+)" max="(\d+)"', waits.text)
    assert shown
    assert int(shown[1]) in range(60, 64)
    assert int(shown[2]) == 300
    assert 96 <= int(waits.headers["retry-after"]) <= 144, "two minutes at most, a fifth more or less"
    assert f'content="{waits.headers["retry-after"]}"' in waits.text
    assert int(come(promised_at=gate + 10).headers["retry-after"]) <= 10, "nobody comes back after the estimate"
    assert come(bucket=bucket - 5).status_code == 200, "whose turn it may be is the gate's to say"
    assert come(promised_at=gate - 1).status_code == 200, "who waited longer than promised asks the gate"
    assert come(promised_at=0).status_code == 200, "the first estimate is the gate's"


def test_slow_headers_are_cut(front: Front) -> None:
    with socket.create_connection(front.address, timeout=30) as line:
        line.sendall(f"GET / HTTP/1.1\r\nhost: {WILGE}\r\n".encode())
        with socket.create_connection(front.address, timeout=30) as form:
            form.sendall(f"POST /sign-in HTTP/1.1\r\nhost: {WILGE}\r\ncontent-length: 40\r\n\r\nname=".encode())
            assert line.recv(64).startswith(b"HTTP/1.1 408")
            assert form.recv(64).startswith(b"HTTP/1.1 408")


def test_large_and_many_headers_are_refused(front: Front) -> None:
    assert front.ask(host=WILGE, x_large="a" * 17_000).status_code == 400
    assert front.ask(host=WILGE, **{f"x-{number}": "a" for number in range(70)}).status_code == 400


def test_more_bytes_than_any_upload_has_are_refused_unread(front: Front) -> None:
    with socket.create_connection(front.address, timeout=30) as line:
        line.sendall(f"POST /x HTTP/1.1\r\nhost: {WILGE}\r\ncontent-length: 600000000\r\n\r\n".encode())
        assert line.recv(64).startswith(b"HTTP/1.1 413")


def test_a_cell_that_is_away_is_told_to_people_and_to_programs() -> None:
    with tempfile.TemporaryDirectory(prefix="firstbell-edge-") as folder:
        edge = Edge(Path(folder), free_port(), [WILGE])
        edge.start()
        front = Front(edge)
        try:
            page = front.ask(host=WILGE)
            assert page.status_code == 503
            assert 4 <= int(page.headers["retry-after"]) <= 12
            assert "De school is even niet bereikbaar" in page.text
            assert "Wat je invulde, is nog niet verstuurd" in front.ask(host=WILGE, method="POST").text
            problem = "application/problem+json"
            wait_until(lambda: front.ask(host=WILGE, accept=problem).headers["content-type"] == problem)
        finally:
            edge.stop()


def test_a_page_of_the_edge_holds_only_what_its_own_policy_allows() -> None:
    for file in (CONFIGURATION / "pages").glob("*.html"):
        page = file.read_text()
        style = re.search(r"<style>(.*?)</style>", page, re.S)
        assert style
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in page, file
        assert not re.search(r"<script|src=|style=", page), file
