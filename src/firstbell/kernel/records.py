"""What is written down of every request: a line in the log, a count and its time. As little work as can be: it is on
the way of each of them."""

import asyncio
import sys
from datetime import UTC, datetime

import msgspec
from prometheus_client import Counter, Histogram

from firstbell.kernel.metrics import REQUEST_SECONDS, REQUESTS
from firstbell.kernel.visit import Visit

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Others are one: whoever invents methods must not fill the metrics."""

_SERIES_MAX = 10_000
"""Routes times methods times statuses; far more than there are."""


WAIT_S = 0.01
"""A write of its own costs each line as much as all the rest of it."""


class RequestLine(msgspec.Struct, frozen=True):
    """One request in the log, of the form of all lines (see `kernel/logs.py`)."""

    request_id: str
    method: str
    route: str
    status: int
    ms: float
    statements: int
    school: str | None
    timestamp: datetime
    event: str = "request"
    level: str = "info"


class Records:
    """The records of one worker. Lines wait for each other, a hundredth of a second at most."""

    def __init__(self, log_level: str) -> None:
        self._writes_lines = log_level.lower() in ("debug", "info")
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._lines: list[bytes] = []
        self._encode = msgspec.json.Encoder().encode

    def add(self, visit: Visit, method: str, seconds: float) -> None:
        """Note a request that was answered, or whose client has gone (status 0)."""
        route, status = visit.route or "none", visit.status
        key = (method if method in _METHODS else "other", route, status)
        series = self._series.get(key) or self._begin_series(key)
        series[0].inc()
        series[1].observe(seconds)
        if self._writes_lines:
            line = RequestLine(
                request_id=visit.request_id,
                method=key[0],
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
                statements=visit.transaction.statements,
                school=visit.school.id.hex if visit.school else None,
                timestamp=datetime.now(UTC),
            )
            self._lines.append(self._encode(line))
            if len(self._lines) == 1:
                asyncio.get_running_loop().call_later(WAIT_S, self.write)

    def write(self) -> None:
        """Write the lines that wait, now."""
        if self._lines:
            lines, self._lines = self._lines, []
            sys.stderr.buffer.write(b"\n".join(lines) + b"\n")
            sys.stderr.buffer.flush()

    def _begin_series(self, key: tuple[str, str, int]) -> tuple[Counter, Histogram]:
        method, route, status = key
        series = REQUESTS.labels(method, route, str(status)), REQUEST_SECONDS.labels(route)
        if len(self._series) < _SERIES_MAX:
            self._series[key] = series
        return series
