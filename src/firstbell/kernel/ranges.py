"""Parts of a file over HTTP (RFC 9110, section 14): which bytes a request asks for."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` up to `end`, which is not included."""

    start: int
    end: int


class UnsatisfiableError(ValueError):
    """No byte of the file is in the range that was asked for."""


def asked_span(header: str | None, size_bytes: int) -> Span | None:
    """The one range in a Range header; None when the whole file is meant.

    Several ranges at once and headers that we cannot read mean the whole file, as the standard allows.

    Raises:
        UnsatisfiableError: the range begins after the end of the file.
    """
    match = _ONE_RANGE.fullmatch(header.replace(" ", "")) if header else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if not first:
        return _last_bytes(int(last), size_bytes)
    start = int(first)
    end = min(int(last) + 1, size_bytes) if last else size_bytes
    if last and int(last) < start:
        return None
    if start >= size_bytes:
        raise UnsatisfiableError
    return Span(start, end)


def _last_bytes(count: int, size_bytes: int) -> Span:
    if count == 0 or size_bytes == 0:
        raise UnsatisfiableError
    return Span(max(0, size_bytes - count), size_bytes)
