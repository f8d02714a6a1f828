"""Where a request comes from: the last thing by which the gate tells one stranger from another.

An address is the wrong name for a person, since a whole school stands behind one. It serves to tell that somewhere very
much comes from, never to shut anybody out.
"""

import ipaddress
import socket
from functools import lru_cache

from firstbell.kernel.asgi import Scope

_FORWARDED = b"x-forwarded-for"
_IPV6_SITE_BYTES = 8
"""A provider gives a home at least a /64 (RFC 6177), so that its holder has 2 to the 64 addresses."""
_IPV4_IN_IPV6 = bytes(10) + b"\xff\xff"
_ADDRESSES_MAX = 4_096


class Sources:
    """Reads the source of a request; `trusted_proxies` are networks, comma separated, such as `10.0.0.0/8, ::1/128`.

    Only a connection from one of them may say for whom it asks: by the last value of `X-Forwarded-For`, which is the
    one that it added itself. From anywhere else the header is not looked at.
    """

    def __init__(self, trusted_proxies: str) -> None:
        """Raises ValueError when one of them is no network."""
        networks = [ipaddress.ip_network(part.strip()) for part in trusted_proxies.split(",") if part.strip()]

        @lru_cache(maxsize=_ADDRESSES_MAX)
        def is_trusted(address: str) -> bool:
            try:
                asked = ipaddress.ip_address(address)
            except ValueError:
                return False
            mapped = asked.ipv4_mapped if isinstance(asked, ipaddress.IPv6Address) else None
            return any((mapped or asked) in network for network in networks)

        self._is_trusted = is_trusted if networks else _never

    def of(self, scope: Scope) -> bytes:
        """The source as 4 bytes (IPv4) or 8 (an IPv6 /64); nothing when the connection has no address."""
        client = scope.get("client")
        if client is None:
            return b""
        address: str = client[0]
        if self._is_trusted(address):
            for name, value in reversed(scope["headers"]):
                if name == _FORWARDED:
                    return _packed(value.decode("latin-1").rpartition(",")[2].strip()) or _packed(address)
        return _packed(address)


def source_text(source: bytes) -> str:
    """The source as people write it."""
    if len(source) == _IPV6_SITE_BYTES:
        return f"{ipaddress.IPv6Address(source + bytes(8))}/64"
    return str(ipaddress.IPv4Address(source)) if source else "unknown"


@lru_cache(maxsize=_ADDRESSES_MAX)
def _packed(address: str) -> bytes:
    """The source of an address in text; nothing when it is none."""
    try:
        if ":" not in address:
            return socket.inet_pton(socket.AF_INET, address)
        whole = socket.inet_pton(socket.AF_INET6, address)
    except OSError:
        return b""
    return whole[12:] if whole.startswith(_IPV4_IN_IPV6) else whole[:_IPV6_SITE_BYTES]


def _never(_: str) -> bool:
    return False
