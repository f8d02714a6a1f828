"""Every knob of an installation: its type, unit, default and why.

Each field is read from the environment as `FIRSTBELL_` and its name in capitals (`FIRSTBELL_DATABASE_URL`).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_type_hints


def default_data_dir() -> Path:
    """`.firstbell` in a checkout, else `firstbell` among the user's data (XDG Base Directory Specification)."""
    checkout = Path(__file__).parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".firstbell"
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "share") / "firstbell"


def knob(default: Any, *, unit: str, why: str) -> Any:
    """Declare one setting: `unit` is what its number counts, `why` the reason for its default."""
    return field(default=default, metadata={"unit": unit, "why": why})


class SettingError(ValueError):
    """A value in the environment does not fit its setting; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one process. Immutable; made by `read_settings` or, in tests, by hand."""

    database_url: str = knob("", unit="URL", why="web processes, role firstbell_app; empty: embedded PostgreSQL")
    database_jobs_url: str = knob("", unit="URL", why="jobs, imports and the command line, role firstbell_jobs")
    database_owner_url: str = knob("", unit="URL", why="migrations and naming operators, the role that owns the tables")
    database_listen_url: str = knob(
        "",
        unit="URL",
        why="LISTEN for jobs: a session of its own, since a transaction pooler cannot carry it",
    )
    database_connections_max: int = knob(
        8,
        unit="connections per worker",
        why="one core keeps about four statements busy; the rest hide commits",
    )
    database_statement_timeout_ms: int = knob(
        5_000,
        unit="ms",
        why="a page is over after 250 ms; what runs 20 times as long holds a connection for nobody",
    )
    database_jobs_statement_timeout_ms: int = knob(
        600_000, unit="ms", why="an import of 100,000 people takes a minute; ten times that is a fault"
    )
    nats_url: str = knob("", unit="URL", why="bus of hints between processes; empty: embedded NATS")
    blobs_url: str = knob("", unit="URL", why="file:///folder or s3://bucket; empty: folder `blobs` in data_dir")
    data_dir: Path = knob(  # noqa: RUF009 - a Path does not change
        Path(".firstbell"),
        unit="folder",
        why="embedded engines, blobs and secrets, in the checkout; of an installed Firstbell, among the user's data",
    )
    secret_keys: str = knob(
        "",
        unit="id:hex, comma separated",
        why="the first signs, all verify, so that a change signs nobody out; empty: kept in data_dir",
    )
    host: str = knob("127.0.0.1", unit="address", why="nobody else's machine reaches a first try")
    port: int = knob(8300, unit="port", why="half past eight")
    workers: int = knob(1, unit="processes", why="one per core that is free for the web")
    connections_max: int = knob(
        16_384, unit="connections per worker", why="a ceiling for idle connections, never the admission limit"
    )
    gather_ms: float = knob(
        3.0, unit="ms", why="while somebody is refused, requests begin together, which nobody sees and takes less time"
    )
    network_nice: int = knob(
        5, unit="steps of nice", why="on a busy core the network thread hands over several requests at once"
    )
    header_timeout_ms: int = knob(5_000, unit="ms", why="headers of a phone on a bad line arrive within 5 s")
    public_scheme: str = knob("http", unit="http or https", why="https puts __Host- on cookies and HSTS on answers")
    ready_timeout_ms: int = knob(
        1_000, unit="ms", why="HAProxy asks every 2 s; a database that takes half of that is not ready"
    )
    drain_pause_ms: int = knob(
        5_000,
        unit="ms",
        why="not ready but still serving after SIGTERM, until HAProxy has asked twice and sends elsewhere",
    )
    drain_seconds_max: int = knob(
        30, unit="s", why="requests in flight may finish; the longest upload on a phone is resumed elsewhere"
    )
    jobs_max: int = knob(8, unit="jobs at once per process", why="as many as it has connections")
    jobs_retry_seconds: int = knob(5, unit="s", why="pause after the database went away; a failover takes 10 to 30 s")
    metrics_token: str = knob(
        "", unit="text", why="who may read /metrics from elsewhere; empty: only this machine, never through a proxy"
    )
    access_seconds: int = knob(600, unit="s", why="how long a cookie is believed without asking the database")
    changes_poll_seconds: int = knob(5, unit="s", why="without NATS, what was revoked ends within this and a second")
    changes_old_seconds: int = knob(
        60, unit="s", why="a worker that did not read the tail for so long asks the database on each request"
    )
    revocations_max: int = knob(
        50_000, unit="ids", why="a third of a full cell in one import; beyond it every cookie is refreshed once"
    )
    refresh_days: int = knob(120, unit="days", why="a device stays signed in over the summer's half and every holiday")
    refresh_grace_seconds: int = knob(
        60, unit="s", why="requests in flight and lost answers repeat the old token within a minute"
    )
    shared_device_hours: int = knob(
        10, unit="h", why="a school day: a browser that restores its windows does not bring back who forgot to sign out"
    )
    device_days: int = knob(730, unit="days", why="a phone that was here last school year is still a known device")
    activation_code_days: int = knob(365, unit="days", why="a letter of September still works at the end of the year")
    password_letters_min: int = knob(8, unit="letters", why="NIST SP 800-63B's least; the gate bounds guessing")
    sign_in_hashes_max: int = knob(1, unit="hashes at once per worker", why="hashing must never take the second core")
    sign_in_queue_max: int = knob(64, unit="sign-ins waiting per worker", why="3 s of hashing at 45 ms each")
    guesses_max: int = knob(
        10, unit="sign-ins at once for a name", why="who mistypes needs three; each known device has its own"
    )
    guesses_per_hour: int = knob(
        30, unit="per hour", why="afterwards; at this pace 10,000 common passwords take 14 days"
    )
    guessed_names_max: int = knob(
        50_000, unit="names per worker", why="10 MB; a flood of invented names forgets only names that nobody tries on"
    )
    upload_bytes_max: int = knob(100_000_000, unit="bytes per file", why="a 10-minute phone video of a lesson")
    upload_files_max: int = knob(50, unit="files per upload", why="a term's worksheets in one drag")
    roster_archive_bytes_max: int = knob(
        200_000_000, unit="bytes", why="a roster of 100,000 people is 25 MB as a zip archive"
    )
    roster_bytes_max: int = knob(
        2_000_000_000,
        unit="bytes unpacked",
        why="a roster of 100,000 people is 200 MB; the staging tables hold it once",
    )
    roster_ratio_max: int = knob(
        200, unit="times", why="enrolments with nothing but numbers shrink 30 times, a zip bomb 1,000"
    )
    roster_entries_max: int = knob(100, unit="files", why="OneRoster 1.2 knows 22 files")
    roster_batch_rows: int = knob(
        20_000, unit="rows", why="5 MB in memory at once, and four steps of progress a second"
    )
    roster_retired_share_max: float = knob(
        0.3,
        unit="share, 0 to 1",
        why="in summer a sixth of the pupils leaves with their parents; more is mostly a file that is not whole",
    )
    roster_statement_timeout_ms: int = knob(
        300_000, unit="ms", why="merging a million enrolments is one statement of half a minute on a slow machine"
    )
    upload_request_bytes_max: int = knob(
        500_000_000, unit="bytes per upload", why="a term's worksheets, or five videos; more comes in a second drag"
    )
    upload_stall_seconds: int = knob(30, unit="s", why="a phone that sends nothing for so long has lost its line")
    uploads_at_once_max: int = knob(
        32, unit="files arriving at once per worker", why="each holds up to 0.5 MB of memory: 16 MB"
    )
    blob_timeout_ms: int = knob(10_000, unit="ms", why="a disk or bucket that is silent for so long is down")
    blob_memory_bytes_max: int = knob(
        16_000_000, unit="bytes per worker", why="80 worksheets of 200 kB: what the classes of this hour open together"
    )
    blob_reads_at_once_max: int = knob(32, unit="reads per worker", why="256 KiB each: 8 MB of memory")
    blob_puts_at_once_max: int = knob(2, unit="puts per worker", why="two parts of 8 MiB each to a bucket: 32 MiB")
    blob_threads_max: int = knob(
        4, unit="threads per worker", why="enough for a disk; hashing takes turns with the web"
    )
    blob_days: int = knob(35, unit="days", why="the bin's 30 days, and the time to notice a mistake")
    bin_days: int = knob(30, unit="days", why="who misses a document misses it within a month")
    folder_entries_max: int = knob(500, unit="documents or folders in one folder", why="what a page still lists")
    course_lessons_max: int = knob(3, unit="lessons", why="a week of a main subject: what the class looks ahead to")
    folder_depth_max: int = knob(8, unit="folders deep", why="nobody finds anything further down")
    form_bytes_max: int = knob(100_000, unit="bytes", why="the longest form is a page of text")
    timetable_file_bytes_max: int = knob(300_000_000, unit="bytes", why="a CSV row has about 150: two million lessons")
    timetable_ics_bytes_max: int = knob(
        50_000_000, unit="bytes", why="an iCalendar file is held in memory at about 20 times its size"
    )
    timetable_days_max: int = knob(800, unit="days", why="two school years: a rule without an end must end somewhere")
    timetable_lessons_max: int = knob(
        2_000_000, unit="lessons per file", why="60 times the lessons of a school of 600 pupils in a year"
    )
    timetable_batch_lessons: int = knob(20_000, unit="lessons", why="20 MB in memory at once, and a sign of progress")
    timetable_statement_timeout_ms: int = knob(
        900_000, unit="ms", why="merging a million lessons is one statement of three minutes on a busy machine"
    )
    timetable_rejections_max: int = knob(
        200, unit="rejections listed", why="nobody reads more at once; the rest is counted"
    )
    shared_seconds: int = knob(
        60, unit="s", why="how long a class's day is kept when nobody told of a change, such as a teacher's new name"
    )
    shared_courses_max: int = knob(10_000, unit="courses per worker", why="the courses of 20,000 pupils, 2 kB each")
    lessons_now_max: int = knob(60, unit="lessons on the head's page", why="two screens; the classes have the rest")
    new_documents_days: int = knob(7, unit="days", why="what is new on Monday includes last Monday's")
    new_documents_max: int = knob(6, unit="documents on the today page", why="a glance; the courses have the rest")
    lesson_note_chars_max: int = knob(4_000, unit="characters", why="a page of text, with room for a link list")
    lesson_room_chars_max: int = knob(100, unit="characters", why="what fits on the door and in a week's cell")
    lesson_documents_max: int = knob(30, unit="documents", why="more is a folder, not the material of one lesson")
    gate_queuing_ms_max: int = knob(
        20, unit="ms", why="a longer mean wait for loop and slot is overload: a third of what a request may wait"
    )
    gate_lag_ms_max: int = knob(
        5, unit="ms", why="above this mean lag of the loop more slots only add waiting; a page is 0.5 ms of the loop"
    )
    gate_window_ms: int = knob(1_000, unit="ms", why="how long the gate looks before it moves limit and cursor")
    gate_window_requests: int = knob(2_000, unit="requests", why="or this many, so that a storm is met within 100 ms")
    gate_window_requests_min: int = knob(
        32, unit="requests per window", why="fewer cannot have made a worker late: then the machine is busy otherwise"
    )
    gate_slots_start: int = knob(8, unit="requests per worker", why="as many as connections, before anything is learnt")
    gate_slots_min: int = knob(4, unit="requests per worker", why="fewer leave the core idle while statements run")
    gate_slots_max: int = knob(
        16, unit="requests per worker", why="twice the connections; more serve nobody sooner and all wait longer"
    )
    gate_queue_max: int = knob(
        128, unit="requests per worker", why="what a quick worker serves in the 60 ms that one may wait; P0 twice that"
    )
    gate_wait_ms_max: int = knob(
        60,
        unit="ms",
        why="who waits longer comes back later; with 100 ms the p99 was a third longer and no more was served",
    )
    gate_wait_standing_ms_max: int = knob(
        30,
        unit="ms",
        why="the same once the queue stood for 100 ms: whoever is too many hears it soon; with 10 ms the core was idle",
    )
    gate_wait_first_ms_max: int = knob(
        500, unit="ms", why="the same for P0: a hand-in waits rather than comes back; a page stays under 1 s"
    )
    gate_school_share: float = knob(
        0.5, unit="share, 0 to 1", why="of slots and queue for one school while others ask too"
    )
    gate_retry_seconds: int = knob(
        4, unit="s", why="refused clients come back after this to three times this: a spike has spread by then"
    )
    gate_brownout_min: int = knob(
        0, unit="level, 0 to 3", why="who expects a storm lets pages leave out what can wait before it begins"
    )
    edge_key: str = knob(
        "",
        unit="base64",
        why="EDGE_KEY of the edge, which names with it whom it called; empty: nobody is believed to have waited there",
    )
    inside_minutes: int = knob(30, unit="min", why="who was served within a break's length is never sent to wait")
    entries_per_second_min: float = knob(
        1.0, unit="people per s and worker", why="the line always moves, and a single entry breaks nothing"
    )
    gate_silent_seconds: int = knob(
        5, unit="s", why="a worker of which five messages were missed lets nobody in; the others go on without it"
    )
    unknown_entries_share: float = knob(
        0.02,
        unit="share, 0 to 1",
        why="1 of 20 mornings begins on an unknown device, most come in by bids; one costs as much as four others",
    )
    waiting_questions_per_second: float = knob(
        100.0, unit="requests per s and worker", why="of all who wait together; each takes a fifth of a millisecond"
    )
    device_requests_per_second: float = knob(
        20.0, unit="requests per s and worker", why="ten times what the quickest reader taps; above it asks a script"
    )
    device_requests_max: int = knob(200, unit="requests at once", why="the same, saved up over ten seconds of calm")
    devices_max: int = knob(
        100_000, unit="devices per worker", why="10 MB; twice those that are busy at once in a full cell"
    )
    strangers_per_second: float = knob(
        0.01,
        unit="requests per person of the school, s and worker",
        why="a tenth of a school on new devices within ten seconds, all behind its one address, is a first school day",
    )
    strangers_per_second_min: float = knob(
        5.0, unit="requests per s and worker", why="the same for the smallest school: a class that opens its laptops"
    )
    stranger_sources_max: int = knob(
        1_024, unit="sources per worker", why="0.2 MB; whoever sends more than a thousandth of all strangers is found"
    )
    sprayed_share: float = knob(
        0.05,
        unit="share of people, 0 to 1",
        why="wrong names in ten minutes; ten times a Monday's, from where they come",
    )
    sprayed_names_min: int = knob(20, unit="names", why="the same for the smallest school: a class after the holidays")
    bid_entries_share: float = knob(
        0.03, unit="share of entries, beside them", why="strangers who show work come in within seconds; most can"
    )
    bid_entries_per_second_min: float = knob(
        3.0, unit="people per s and worker", why="the same under attack, when hardly anybody enters: a tenth of a core"
    )
    bid_effort_min: int = knob(
        4, unit="times 10,000 hashes at most", why="a fifth of a second of a laptop's browser, two of an old phone's"
    )
    bid_effort_max: int = knob(
        100, unit="times 10,000 hashes at most", why="5 s of a laptop's browser; an old phone rather waits in the line"
    )
    bids_kept_max: int = knob(
        50_000, unit="bids per worker", why="5 MB; none is taken twice in the two minutes for which its puzzle is good"
    )
    body_grace_ms: int = knob(10_000, unit="ms", why="for a body before its first byte; a phone on a bad line")
    body_bytes_per_second_min: int = knob(1_000, unit="bytes per s", why="GPRS did five times as much")
    answer_stall_seconds: int = knob(
        30, unit="s", why="an answer of which nothing was read for so long has lost its reader"
    )
    header_bytes_max: int = knob(
        32_768, unit="bytes", why="our cookies take 1 kB, all headers of a browser 3 kB; also the pieces of an upload"
    )
    trusted_proxies: str = knob(
        "",
        unit="networks, comma separated",
        why="who may say in X-Forwarded-For for whom it asks, such as 10.0.0.5/32; empty: nobody, so nobody can lie",
    )
    log_level: str = knob("info", unit="level", why="one line per request, and what an operator must know")
    clock: str = knob(
        "",
        unit="ISO instant, or + or - seconds",
        why="a played morning starts here and runs at the speed of time; empty: the real clock",
    )


def as_environment(settings: Settings) -> dict[str, str]:
    """`settings` for the environment of another process of ours."""
    return {f"FIRSTBELL_{entry.name.upper()}": str(getattr(settings, entry.name)) for entry in fields(Settings)}


def read_settings(environment: Mapping[str, str] = os.environ, **changes: Any) -> Settings:
    """Read the settings from `environment`; `changes` (from the command line) win.

    Raises:
        SettingError: a value cannot be read as its type.
    """
    kinds = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for entry in fields(Settings):
        text = environment.get(f"FIRSTBELL_{entry.name.upper()}")
        if text is not None:
            values[entry.name] = _parse(entry.name, text, cast(type[Any], kinds[entry.name]))
    return Settings(**{"data_dir": default_data_dir(), **values, **changes})


def _parse(name: str, text: str, kind: type[Any]) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise SettingError(f"FIRSTBELL_{name.upper()} must be {kind.__name__}, not {text!r}.") from error
