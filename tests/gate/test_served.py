"""Clients that send too much or too slowly, at the real server."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import Installation, serving

LINE_S = 30.0
"""Longer than anything here may take: a test that waits so long has failed."""


@pytest.fixture(scope="module")
def port(installation: Installation) -> Iterator[int]:
    """A worker with little patience."""
    # A second: what is sent in parts arrives within it on a machine that has other things to do as well.
    settings = {
        "header_timeout_ms": "1000",
        "body_grace_ms": "1000",
        "body_bytes_per_second_min": "1000000",
        "form_bytes_max": "1000",
    }
    with serving(installation, **settings) as address:
        found = urlsplit(address).port
        assert found is not None
        yield found


def say(port: int, *parts: bytes) -> bytes:
    """Send these parts and nothing more; all that comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=LINE_S) as line:
        answer = b""
        with suppress(ConnectionError):  # it may be closed before it has heard all
            for part in parts:
                line.sendall(part)
                time.sleep(0.01)  # so that each is a part of its own
            while data := line.recv(65_536):
                answer += data
        return answer


def post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "host: wilge.test", *headers, "", ""]).encode()


def test_too_long_a_form_is_refused_before_it_comes(port: int) -> None:
    answer = say(port, post("/sign-out", "content-length: 1001", "accept: text/html"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    problem = say(port, post("/sign-in", "content-length: 12001", "accept: application/json"))
    assert b"urn:firstbell:problem:too-large" in problem


def test_a_form_without_a_length_is_cut_where_it_passes_its_limit(port: int) -> None:
    chunk = b"100\r\n" + b"a" * 256 + b"\r\n"
    head = post("/sign-in", "transfer-encoding: chunked", "content-type: application/x-www-form-urlencoded")
    answer = say(port, head, chunk * 40, chunk * 7)  # 12,032 bytes, and the end never comes
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_form_that_never_becomes_whole_is_given_up(port: int) -> None:
    answer = say(port, post("/sign-in", "content-length: 100", "accept: application/json"), b"name=")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:firstbell:problem:slow" in answer


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nhost: wilge.test\r\nx-a:"])
def test_a_header_that_never_becomes_whole_is_given_up(port: int, begun: bytes) -> None:
    assert say(port, begun) == b""


def test_headers_without_end_are_refused(port: int) -> None:
    many = say(
        port, b"GET / HTTP/1.1\r\nhost: wilge.test\r\n" + b"".join(b"x-%d: a\r\n" % n for n in range(200)) + b"\r\n"
    )
    assert many.startswith(b"HTTP/1.1 431 ")
    long = say(port, b"GET / HTTP/1.1\r\nhost: wilge.test\r\nx-a: ", *[b"a" * 16_384] * 8)
    assert b"HTTP/1.1 200" not in long


def test_another_protocol_is_not_spoken(port: int) -> None:
    assert b"200" not in say(port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))


def test_nobody_waits_meanwhile(port: int) -> None:
    lines = [socket.create_connection(("127.0.0.1", port), timeout=LINE_S) for _ in range(200)]
    for number, line in enumerate(lines):
        line.sendall(post("/sign-in", "content-length: 100") if number % 2 else b"GET / HTTP/1.1\r\nhost:")
    assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=LINE_S).status_code == 200
    wrong = httpx.post(
        f"http://127.0.0.1:{port}/bid", headers={"host": "wilge.test", "accept": "application/json"}, timeout=LINE_S
    )
    assert wrong.status_code == 404
    for line in lines:
        line.close()
