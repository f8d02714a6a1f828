"""What Prometheus sees. Labels are routes and states, never people.

The processes of a node add up through files, whose folder the command line names before this module is imported.
"""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("firstbell_requests_total", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "firstbell_request_seconds",
    "Time from the doorway to the last byte handed over",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

HINTS_DROPPED = Counter("firstbell_hints_dropped_total", "Hints that did not wait for the bus")
