"""Logs: one JSON object a line on standard error. Nothing about pupils, no secrets, no query strings."""

import logging
import sys

import msgspec
import structlog


def configure_logs(level: str) -> None:
    """Write JSON lines from `level` (debug, info, warning, error) up."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_encode),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
    )
    # Libraries log through the standard library; what they warn of is of the same form.
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_Library()], force=True)


def quieten_logs() -> None:
    """For a command that tells people itself what it does: only faults, as plain lines on standard error."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        processors=[structlog.dev.ConsoleRenderer(colors=False)],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class _Library(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # A traceback only for faults: libraries warn of an engine that is away as often as they try it.
        trace = record.exc_info if record.levelno >= logging.ERROR else None
        reason = str(record.exc_info[1]) if record.exc_info and trace is None else None
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, reason=reason, exc_info=trace
        )


def _encode(event: object, **_: object) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)
