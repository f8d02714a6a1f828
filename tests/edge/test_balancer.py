"""HAProxy as it stands on the internet: with certificates, behind a balancer that speaks the PROXY protocol."""

import json
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from firstbell.kernel.engines import free_port
from firstbell.rehearsal.edge import Edge

HOST = "wilge.example"
FROM_PHONE = b"PROXY TCP4 198.51.100.9 192.0.2.1 40000 443\r\n"


@pytest.fixture(scope="module")
def public(cell: int) -> Iterator[Edge]:
    """HAProxy with TLS, the PROXY protocol and metrics."""
    with tempfile.TemporaryDirectory(prefix="firstbell-edge-") as folder:
        key, certificate = Path(folder) / "key.pem", Path(folder) / "both.pem"
        made = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-subj", f"/CN={HOST}", "-days", "2"]
        signed = subprocess.run(["openssl", "req", "-x509", *made], check=True, capture_output=True)
        certificate.write_bytes(signed.stdout + key.read_bytes())
        edge = Edge(
            Path(folder),
            cell,
            [HOST],
            EDGE_CERTIFICATES=str(certificate),
            EDGE_PROXY_PROTOCOL="yes",
            EDGE_BIND_TLS=f"127.0.0.1:{free_port()}",
            EDGE_METRICS=f"127.0.0.1:{free_port()}",
        )
        edge.start()
        yield edge
        edge.stop()


def connect(address: str) -> socket.socket:
    """A connection that the balancer hands on for a phone."""
    host, port = address.split(":")
    line = socket.create_connection((host, int(port)), timeout=30)
    line.sendall(FROM_PHONE)
    return line


def secure(public: Edge, *protocols: str) -> ssl.SSLSocket:
    """The same with TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(protocols)
    return context.wrap_socket(connect(public.environment["EDGE_BIND_TLS"]), server_hostname=HOST)


def test_the_address_of_the_phone_passes_the_balancer(public: Edge) -> None:
    with secure(public, "http/1.1") as line:
        line.sendall(
            f"GET / HTTP/1.1\r\nhost: {HOST}\r\nx-forwarded-for: 10.9.9.9\r\nconnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    headers = json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])["headers"]
    assert [value for name, value in headers if name == "x-forwarded-for"] == ["198.51.100.9"]


def test_browsers_are_offered_http_2(public: Edge) -> None:
    with secure(public, "h2", "http/1.1") as line:
        assert line.selected_alpn_protocol() == "h2"


def test_plain_http_is_sent_on_to_https(public: Edge) -> None:
    with connect(public.environment["EDGE_BIND"]) as line:
        line.sendall(f"GET /today HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode())
        answer = line.recv(4_096).decode()
    assert answer.startswith("HTTP/1.1 308")
    assert f"location: https://{HOST}/today\r\n" in answer


def test_prometheus_is_answered_at_its_own_address(public: Edge) -> None:
    address = public.environment["EDGE_METRICS"]
    assert "haproxy_frontend_http_requests_total" in httpx.get(f"http://{address}/metrics").text
    assert httpx.get(f"http://{address}/").status_code == 404
