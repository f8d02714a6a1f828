"""The process that plays people: arrivals on schedule, whatever the server does."""

import gc
import os
import random
import resource
import signal
import time
from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import accumulate
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import NamedTuple

import msgspec

from firstbell.kernel.launch import end_with_parent
from firstbell.rehearsal.journeys import JOURNEYS
from firstbell.rehearsal.load.bidder import BIDDERS_MAX
from firstbell.rehearsal.load.loop import Loop
from firstbell.rehearsal.load.orders import AttackOrders, Crowd, Orders, Stretch
from firstbell.rehearsal.load.player import Player
from firstbell.rehearsal.load.tally import Tally
from firstbell.rehearsal.load.visitor import PATIENCE_S, Visitor

PATIENCE_LOOKED_AT_S = 0.01
"""How often it is seen whose patience has ended, so that no turn has many."""

VISITORS_MAX = 450_000
"""People on a journey at once, most of them waiting; 3 KB each. More are turned away and counted as an error."""

OPEN_FILES = 131_072
"""Who is told to come back within 15 s keeps the connection: at 5,000 people a second that may be all of them."""


HURRIED = -5
"""The niceness of who plays people, where it may be had: HAProxy, on the same core, works in pieces of 3 ms, and who
comes on schedule cannot wait for some of them."""

BUSY_S = 0.4
"""Of each second. A generator that used more has no room for what another device would do: HAProxy shares its core."""


Report = Callable[[Tally, list[tuple[str, str]]], None]
"""Is told what was seen, and the receipts."""


class Performance:
    """One set of orders being carried out; what the visitors in it share."""

    def __init__(self, orders: Orders, cast: "Cast") -> None:
        self.loop = Loop(orders.begins_at, self._note_lag)
        self.target = orders.target
        self.tally = Tally()
        self.random = random.Random(orders.seed)  # noqa: S311 - the same seed plays the same morning
        self.haste = orders.haste
        self.bidders = 0
        self.receipts: list[tuple[str, str]] = []
        self._orders = orders
        self._cast = cast
        self._visitors: set[Visitor] = set()
        self._awaited: deque[tuple[float, Visitor, int]] = deque()
        self._used_s = 0.0
        self._is_busy = False
        self.sockets_many = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2

    @property
    def is_crowded(self) -> bool:
        """Half of all sockets are in use: who waits gives theirs back, for those who have yet to ask."""
        return self.loop.sockets > self.sockets_many

    @property
    def may_bid(self) -> bool:
        """One more who solves a puzzle would not delay the others."""
        return self.bidders < BIDDERS_MAX and not self._is_busy

    def expect(self, visitor: Visitor) -> None:
        """Watch that the visitor's answer comes before its patience ends."""
        self._awaited.append((self.loop.now() + PATIENCE_S, visitor, visitor.turn))

    def leave(self, visitor: Visitor) -> None:
        """The journey is over."""
        self._visitors.discard(visitor)
        self._cast.take_back(visitor.player)

    def receive(self, receipt: str, player: Player) -> None:
        """Note a write that the server acknowledged, and in which folder."""
        self.receipts.append((receipt, f"{player.host}/{player.sign_in_name}"))

    def play(self, report: Report) -> None:
        """Play until the end, telling `report` each second what was new in it."""
        self.begin(report)
        self.loop.run(self._orders.seconds)
        self.end()
        report(self.tally, self.receipts)

    def begin(self, report: Report) -> None:
        """Plan what the loop will play."""
        for number, crowd in enumerate(self._orders.crowds):
            self._plan_next(crowd, arrivals(crowd.stretches, random.Random(f"{self._orders.seed}/{number}")))  # noqa: S311
        self._used_s = time.process_time()
        self.loop.at(1.0, partial(self._tell, report))
        self.loop.at(PATIENCE_LOOKED_AT_S, self._give_up_patience)

    def end(self) -> None:
        """Everybody leaves."""
        for visitor in self._visitors:
            visitor.end()
            self._cast.take_back(visitor.player)
        self.loop.close()

    def _tell(self, report: Report, due_s: float) -> None:
        used_s = time.process_time()
        self.tally.client_us[int(due_s) - 1] += int((used_s - self._used_s) * 1e6)
        self._is_busy, self._used_s = used_s - self._used_s > BUSY_S, used_s
        report(self.tally, self.receipts)
        self.tally, self.receipts = Tally(), []
        self.loop.at(due_s + 1.0, partial(self._tell, report))

    def _note_lag(self, at_s: float, late_s: float) -> None:
        self.tally.note_lag(at_s, late_s)  # another tally each second

    def _plan_next(self, crowd: Crowd, moments: Iterator[float]) -> None:
        moment_s = next(moments, None)
        if moment_s is not None:
            self.loop.at(moment_s, lambda due_s: self._let_in(crowd, moments, due_s))

    def _let_in(self, crowd: Crowd, moments: Iterator[float], due_s: float) -> None:
        self._plan_next(crowd, moments)
        if len(self._visitors) >= VISITORS_MAX:
            self.tally.errors["generator full"] += 1
            return
        player = self._cast.next(crowd, self.random)
        if player is None:
            self.tally.errors["no device left"] += 1
            return
        journey = JOURNEYS[crowd.journey][player.role](player)
        visitor = Visitor(self, crowd.name, player, journey)
        self._visitors.add(visitor)
        visitor.arrive(due_s)

    def _give_up_patience(self, due_s: float) -> None:
        while self._awaited and self._awaited[0][0] <= due_s:
            _until_s, visitor, turn = self._awaited.popleft()
            visitor.lose_patience(turn)
        self.loop.at(due_s + PATIENCE_LOOKED_AT_S, self._give_up_patience)


class Group(NamedTuple):
    """People who are alike for a crowd, and whether their device is known."""

    role: str
    host: str
    is_known: bool


class Cast:
    """The people who may come, read from their file; each comes once before anybody comes twice.

    The classes of a school come mixed: in the file one stands after the other.
    """

    def __init__(self, file: Path) -> None:
        self._decode = msgspec.json.Decoder(Player).decode
        self._lines = file.read_bytes().splitlines()
        self._free: dict[Group, deque[int]] = {}
        """Whose device is not in use: two on one would look like a stolen session, and be treated as one."""
        self._chosen_from: dict[tuple[str, tuple[str, ...], bool], tuple[list[Group], list[int]]] = {}
        self._playing: dict[int, tuple[int, Group]] = {}
        """Which line each player came from, and of which group, by the player's own identity."""
        for number, line in enumerate(self._lines):
            player = self._decode(line)
            self._free.setdefault(Group(player.role, player.host, player.is_known), deque()).append(number)
        mixed = random.Random(0)  # noqa: S311 - the same cast comes in the same order
        for group, numbers in self._free.items():
            self._free[group] = deque(mixed.sample(numbers, len(numbers)))
        self._sizes = {group: len(numbers) for group, numbers in self._free.items()}

    def next(self, crowd: Crowd, random: random.Random) -> Player | None:
        """The next one for this crowd, on a known device or not; on the other kind where the cast has none of that.

        None when all of that kind have come and not left.
        """
        is_known = random.random() < crowd.known_share
        for kind in (is_known, not is_known):
            groups, together = self._choices(crowd.journey, crowd.hosts, is_known=kind)
            if groups:
                chosen = groups[bisect(together, random.random() * together[-1])]
                group = chosen if self._free[chosen] else max(groups, key=lambda group: len(self._free[group]))
                return self._play(group) if self._free[group] else None
        return None

    def _play(self, group: Group) -> Player:
        number = self._free[group].popleft()
        player = self._decode(self._lines[number])
        self._playing[id(player)] = number, group
        return player

    def _choices(self, journey: str, hosts: tuple[str, ...], *, is_known: bool) -> tuple[list[Group], list[int]]:
        """Who of those schools takes part, and how many devices each group and those before it have."""
        key = journey, hosts, is_known
        if key not in self._chosen_from:
            roles = JOURNEYS[journey]
            alike = [group for group in self._free if group.role in roles and group.is_known == is_known]
            groups = [group for group in alike if not hosts or group.host in hosts]
            self._chosen_from[key] = groups, list(accumulate(self._sizes[group] for group in groups))
        return self._chosen_from[key]

    def take_back(self, player: Player) -> None:
        """Remember the cookies of somebody who leaves. A night passes: access is over, a stranger is one again."""
        number, group = self._playing.pop(id(player))
        self._free[group].append(number)
        player.cookies.pop("access", None)
        if group.is_known:
            self._lines[number] = msgspec.json.encode(player)


def arrivals(stretches: tuple[Stretch, ...], random: random.Random) -> Iterator[float]:
    """The seconds at which people arrive: a Poisson process in each stretch."""
    for stretch in stretches:
        moment_s = stretch.from_s
        while stretch.per_s > 0:
            moment_s += random.expovariate(stretch.per_s)
            if moment_s >= stretch.until_s:
                break
            yield moment_s


def run_generator(pipe: Pipe, core: int | None) -> None:
    """The main function of a generator's process: carries out orders until the other end closes the pipe.

    A path is a cast to be read before it is played. For orders it sends a tally and the receipts every second; then,
    as after a cast, None.
    """
    prepare_process(core)
    end_with_parent(signal.SIGKILL, os.getppid())
    # Ctrl-C reaches the whole group; we end when our parent says so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A hundred thousand people at once, none of whom is rubbish: looking for it would hold up the schedule.
    gc.disable()
    casts: dict[Path, Cast] = {}
    while True:
        try:
            orders: Orders | AttackOrders | Path = pipe.recv()
        except EOFError:
            return
        if isinstance(orders, AttackOrders):
            from firstbell.rehearsal.load.attackers import Attack  # noqa: PLC0415 - only the process that attacks

            Attack(orders).play(lambda tally: pipe.send((tally, [])))
        elif isinstance(orders, Path):
            if orders not in casts:
                casts = {orders: Cast(orders)}
        else:
            hurry()
            Performance(orders, casts[orders.cast]).play(lambda tally, receipts: pipe.send((tally, receipts)))
            gc.collect()  # now, or the next orders would begin seconds late
        pipe.send(None)


def hurry() -> None:
    """Go before others on this core, if this user may."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, HURRIED)


def prepare_process(core: int | None) -> None:
    """Stay on `core`, and have as many connections as this machine allows."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, max(hard, OPEN_FILES)))
    except ValueError:  # only root may have more than the session was given
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, OPEN_FILES), hard))
