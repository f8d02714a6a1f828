"""Puts the gate together from settings and from what its neighbours know."""

import random
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple
from uuid import UUID

from firstbell.gate.admission import Admission
from firstbell.gate.announcement import Announcement
from firstbell.gate.asker import Askers, Declared, InsideCookie, Proofs, RouteTable, School
from firstbell.gate.bidding import Bidding
from firstbell.gate.bids import Auction, Effort, Puzzles
from firstbell.gate.body import Pace
from firstbell.gate.calls import called_reader
from firstbell.gate.door import Door
from firstbell.gate.entry import EntryBudget
from firstbell.gate.gate import Gate, Guest
from firstbell.gate.keeping import Keeper
from firstbell.gate.limit import QueuingLimit
from firstbell.gate.limits import limits_of
from firstbell.gate.pages import Voice
from firstbell.gate.queue import Bounds
from firstbell.gate.waiting import WaitingRoom
from firstbell.gate.watch import Watch
from firstbell.kernel.asgi import App, Scope
from firstbell.kernel.clock import Clock
from firstbell.kernel.http import security_headers
from firstbell.kernel.signing import Signer, parse_keys
from firstbell.settings import Settings


class Neighbours(NamedTuple):
    """What the application knows and the gate asks: no I/O in any of them.

    `size_of` gives the number of people of a school, `hosts_of` its host names; both name it by the bytes of its id.
    `names_missed` is that of `Guesses`. `viewer_school` and `device` believe the text of a cookie at an instant in
    seconds since 1970. `publish` tells the other workers, and is false while they cannot be reached.
    """

    school_at: Callable[[str], School | None]
    size_of: Callable[[bytes], float]
    names_missed: Callable[[bytes], int]
    viewer_school: Callable[[str, float], UUID | None]
    device: Callable[[str, float], bytes]
    hosts_of: Callable[[bytes], Iterable[str]]
    guest_of: Callable[[Scope], Guest | None]
    publish: Callable[[str, bytes], bool]
    watch: Watch


def build_gate(app: App, settings: Settings, clock: Clock, routes: Iterable[Declared], neighbours: Neighbours) -> Gate:
    """The gate around `app`.

    Raises:
        ValueError: a route declares no priority.
    """
    keys = parse_keys(settings.secret_keys)
    inside = InsideCookie(Signer(keys, "inside"))
    tickets = Signer(keys, "ticket")
    # Seeded by the system, as fast as a refusal wants it: what it deals out is signed, so nobody gains by guessing it.
    chance = random.Random()  # noqa: S311
    room = WaitingRoom(
        tickets.mac(b"rank"),
        chance.randbytes(8),
        unknown_share=settings.unknown_entries_share,
        silent_s=settings.gate_silent_seconds,
        size_of=neighbours.size_of,
    )
    voice = Voice(security_headers(settings), retry_s=settings.gate_retry_seconds, chance=chance)
    admission = admission_of(settings, time.monotonic(), neighbours.size_of)
    limits = limits_of(settings, neighbours.size_of, neighbours.names_missed)
    return Gate(
        app,
        askers=Askers(
            RouteTable(routes),
            neighbours.school_at,
            Proofs(inside, neighbours.viewer_school, neighbours.device),
            called_reader(settings.edge_key),
            secure=settings.public_scheme == "https",
        ),
        door=Door(
            tickets,
            room,
            EntryBudget(least_per_s=settings.entries_per_second_min),
            chance,
            questions_per_s=settings.waiting_questions_per_second,
            unknown_share=settings.unknown_entries_share,
        ),
        voice=voice,
        inside=inside,
        guest_of=neighbours.guest_of,
        clock=clock,
        admission=admission,
        keeper=Keeper(settings.data_dir / "gate", room, admission.bearable, clock),
        announcement=Announcement(neighbours.hosts_of, neighbours.size_of),
        limits=limits,
        bidding=bidding_of(settings, Signer(keys, "bid").mac(b""), voice, limits.pace),
        publish=neighbours.publish,
        watch=neighbours.watch,
        settings=settings,
    )


def bidding_of(settings: Settings, secret: bytes, voice: Voice, pace: Pace) -> Bidding:
    """Puzzles and auction as the settings bound them."""
    effort = Effort(least=settings.bid_effort_min, most=settings.bid_effort_max)
    return Bidding(
        Puzzles(secret, effort, kept_max=settings.bids_kept_max),
        Auction(effort, share=settings.bid_entries_share, least_per_s=settings.bid_entries_per_second_min),
        effort,
        voice,
        pace,
    )


def admission_of(settings: Settings, now: float, size_of: Callable[[bytes], float]) -> Admission:
    """Slots, queue and cursor as the settings bound them."""
    bounds = Bounds(
        queue_max=settings.gate_queue_max,
        school_share=settings.gate_school_share,
        wait_s_max=settings.gate_wait_ms_max / 1_000,
        wait_standing_s_max=settings.gate_wait_standing_ms_max / 1_000,
        wait_first_s_max=settings.gate_wait_first_ms_max / 1_000,
        queuing_s_max=settings.gate_queuing_ms_max / 1_000,
        window_s=settings.gate_window_ms / 1_000,
        window_requests=settings.gate_window_requests,
        window_requests_min=settings.gate_window_requests_min,
    )
    limit = QueuingLimit(
        start=settings.gate_slots_start,
        least=settings.gate_slots_min,
        most=settings.gate_slots_max,
        lag_s_max=settings.gate_lag_ms_max / 1_000,
    )
    return Admission(bounds, limit, now, size_of)
