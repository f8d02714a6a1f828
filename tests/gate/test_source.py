"""Whose request it is, as far as an address tells; nobody can say so who is not trusted to."""

import pytest

from firstbell.gate.source import Sources, source_text
from firstbell.kernel.asgi import Scope

SCHOOL, ATTACKER, PROXY = "198.51.100.7", "203.0.113.9", "10.1.2.3"


def asked(address: str, *forwarded: str) -> Scope:
    headers = [(b"host", b"wilge.test"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    return {"type": "http", "client": (address, 51_000), "headers": headers}


def test_without_a_trusted_proxy_the_connection_alone_tells() -> None:
    sources = Sources("")
    assert sources.of(asked(ATTACKER, SCHOOL)) == sources.of(asked(ATTACKER)) != sources.of(asked(SCHOOL))


def test_a_client_behind_the_proxy_cannot_pretend_to_be_another() -> None:
    sources = Sources("10.0.0.0/8, ::1/128")
    assert sources.of(asked(PROXY, ATTACKER)) == sources.of(asked(ATTACKER))
    assert sources.of(asked(PROXY, f"{SCHOOL}, {ATTACKER}")) == sources.of(asked(ATTACKER))
    assert sources.of(asked(PROXY, SCHOOL, ATTACKER)) == sources.of(asked(ATTACKER))
    assert sources.of(asked("::1", ATTACKER)) == sources.of(asked(ATTACKER))
    assert sources.of(asked("::ffff:10.1.2.3", ATTACKER)) == sources.of(asked(ATTACKER))


def test_a_connection_past_the_proxy_is_not_believed() -> None:
    sources = Sources("10.0.0.0/8")
    assert sources.of(asked(ATTACKER, SCHOOL)) == sources.of(asked(ATTACKER))


@pytest.mark.parametrize("nonsense", ["", "unknown", "_hidden", "1.2.3.4:80", "300.1.1.1", "\udcff", ","])
def test_what_is_no_address_counts_for_the_proxy_itself(nonsense: str) -> None:
    sources = Sources("10.0.0.0/8")
    scope = asked(PROXY)
    scope["headers"].append((b"x-forwarded-for", nonsense.encode("utf-8", "surrogateescape")))
    assert sources.of(scope) == sources.of(asked(PROXY))


def test_a_home_with_many_ipv6_addresses_is_one_source() -> None:
    sources = Sources("")
    assert sources.of(asked("2001:db8:1:2::1")) == sources.of(asked("2001:db8:1:2:ffff::9"))
    assert sources.of(asked("2001:db8:1:2::1")) != sources.of(asked("2001:db8:1:3::1"))
    assert sources.of(asked("::ffff:203.0.113.9")) == sources.of(asked(ATTACKER))
    assert source_text(sources.of(asked("2001:db8:1:2::1"))) == "2001:db8:1:2::/64"
    assert source_text(sources.of(asked(ATTACKER))) == ATTACKER


def test_a_mistyped_network_is_found_at_the_start() -> None:
    with pytest.raises(ValueError, match="10\\.0\\.0\\.0/33"):
        Sources("10.0.0.0/33")
