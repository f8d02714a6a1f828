"""What Prometheus sees. Labels are routes, jobs and states, never people.

The processes of a node add up through files, whose folder the command line names before this module is imported.
"""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("firstbell_requests_total", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "firstbell_request_seconds",
    "Time from the doorway to the last byte handed over",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

JOBS = Counter("firstbell_jobs_total", "Jobs and schedules that ran", ["job", "outcome"])
JOB_SECONDS = Histogram(
    "firstbell_job_seconds", "Time that a job took", ["job"], buckets=(0.01, 0.05, 0.25, 1, 5, 30, 120, 600)
)
JOBS_WAITING = Gauge(
    "firstbell_jobs_waiting", "Jobs in the queue by state", ["job", "state"], multiprocess_mode="mostrecent"
)

HINTS_DROPPED = Counter("firstbell_hints_dropped_total", "Hints that did not wait for the bus")
