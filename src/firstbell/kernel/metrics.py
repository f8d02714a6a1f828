"""What Prometheus sees. Labels are routes and states, never people."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("firstbell_requests_total", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "firstbell_request_seconds",
    "Time from the doorway to the last byte handed over",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
