"""The process that plays people: arrivals on schedule, whatever the server does."""

import asyncio
import gc
import os
import random
import resource
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import msgspec
import uvloop

from firstbell.kernel.launch import end_with_parent
from firstbell.rehearsal.journeys import JOURNEYS
from firstbell.rehearsal.load.orders import AttackOrders, Crowd, Orders, Stretch
from firstbell.rehearsal.load.player import Player
from firstbell.rehearsal.load.tally import Tally, bucket_of
from firstbell.rehearsal.load.visitor import PATIENCE_S, Visitor

DUE_AT_ONCE_MAX = 64
"""Due acts in one turn of the loop, so that answers are read in between."""

VISITORS_MAX = 300_000
"""People on a journey at once, most of them waiting; 1.5 KB each. More are turned away and counted as an error."""

OPEN_FILES = 65_536
LOOKED_AT_MAX = 100
"""How many devices are looked at for one that is not in use."""


class Performance:
    """One set of orders being carried out; what the visitors in it share."""

    def __init__(self, orders: Orders, cast: "Cast") -> None:
        self.target = orders.target
        self.tally = Tally()
        self.random = random.Random(orders.seed)  # noqa: S311 - the same seed plays the same morning
        self.haste = orders.haste
        self.bidders = 0
        self.receipts: list[tuple[str, str]] = []
        self._orders = orders
        self._cast = cast
        self._visitors: set[Visitor] = set()
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._serial = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._awaited: deque[tuple[float, Visitor, int]] = deque()

    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._orders.begins_at

    def at(self, due_s: float, act: Callable[[float], None]) -> None:
        """Call `act` with `due_s` when that second has come."""
        self._serial += 1
        heappush(self._due, (due_s, self._serial, act))
        if self._timer is None or due_s < self._timer_s:
            self._set_timer(due_s)

    def expect(self, visitor: Visitor) -> None:
        """Watch that the visitor's answer comes before its patience ends."""
        self._awaited.append((self.now() + PATIENCE_S, visitor, visitor.turn))

    def leave(self, visitor: Visitor) -> None:
        """The journey is over."""
        self._visitors.discard(visitor)
        self._cast.take_back(visitor.player)

    def receive(self, receipt: str, player: Player) -> None:
        """Note a write that the server acknowledged, and in which folder."""
        self.receipts.append((receipt, f"{player.host}/{player.sign_in_name}"))

    async def play(self, report: Callable[[Tally, list[tuple[str, str]]], None]) -> None:
        """Play until the end, telling `report` each second what was new in it."""
        for number, crowd in enumerate(self._orders.crowds):
            self._plan_next(crowd, arrivals(crowd.stretches, random.Random(f"{self._orders.seed}/{number}")))  # noqa: S311
        told_s = time.process_time()
        while (now_s := self.now()) < self._orders.seconds:
            await asyncio.sleep(1 - now_s % 1)
            self._give_up_patience()
            used_s = time.process_time() - told_s
            told_s += used_s
            self.tally.client_us[int(now_s)] += int(used_s * 1e6)
            report(self.tally, self.receipts)
            self.tally, self.receipts = Tally(), []
        if self._timer is not None:
            self._timer.cancel()
        for visitor in self._visitors:
            visitor.end()
            self._cast.take_back(visitor.player)
        report(self.tally, self.receipts)

    def _plan_next(self, crowd: Crowd, moments: Iterator[float]) -> None:
        moment_s = next(moments, None)
        if moment_s is not None:
            self.at(moment_s, lambda due_s: self._let_in(crowd, moments, due_s))

    def _let_in(self, crowd: Crowd, moments: Iterator[float], due_s: float) -> None:
        self._plan_next(crowd, moments)
        if len(self._visitors) >= VISITORS_MAX:
            self.tally.errors["generator full"] += 1
            return
        player = self._cast.next(crowd, self.random)
        journey = JOURNEYS[crowd.journey][player.role](player)
        visitor = Visitor(self, crowd.name, player, journey)
        self._visitors.add(visitor)
        visitor.arrive(due_s)

    def _set_timer(self, due_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = due_s
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due_s - self.now()), self._act)

    def _act(self) -> None:
        self._timer = None
        lags = self.tally.lag
        for _ in range(DUE_AT_ONCE_MAX):
            if not self._due or self._due[0][0] > (now_s := self.now()):
                break
            due_s, _serial, act = heappop(self._due)
            lags.setdefault(int(now_s), Counter())[bucket_of(now_s - due_s)] += 1
            act(due_s)
        if self._due:
            self._set_timer(self._due[0][0])

    def _give_up_patience(self) -> None:
        now_s = self.now()
        while self._awaited and self._awaited[0][0] <= now_s:
            _until_s, visitor, turn = self._awaited.popleft()
            visitor.lose_patience(turn)


class Cast:
    """The people who may come, read from their file; each comes once before anybody comes twice."""

    def __init__(self, file: Path) -> None:
        self._decode = msgspec.json.Decoder(Player).decode
        self._lines = file.read_bytes().splitlines()
        self._groups: dict[tuple[str, str, bool], list[int]] = {}
        self._turns: Counter[tuple[str, str, bool]] = Counter()
        self._playing: dict[int, tuple[int, bool]] = {}
        """Which line each player came from, and whether on a known device, by the player's own identity."""
        self._used: set[int] = set()
        self._has_strangers = False
        for number, line in enumerate(self._lines):
            player = self._decode(line)
            self._has_strangers |= not player.is_known
            for host in ("", player.host):
                self._groups.setdefault((player.role, host, player.is_known), []).append(number)

    def next(self, crowd: Crowd, random: random.Random) -> Player:
        """The next one for this crowd, on a known device or not."""
        is_known = random.random() < crowd.known_share or not self._has_strangers
        roles = [role for role in JOURNEYS[crowd.journey] if (role, crowd.host, is_known) in self._groups]
        group = random.choices(
            [(role, crowd.host, is_known) for role in roles],
            [len(self._groups[role, crowd.host, is_known]) for role in roles],
        )[0]
        number = self._free_one(group)
        player = self._decode(self._lines[number])
        self._playing[id(player)] = number, is_known
        self._used.add(number)
        return player

    def _free_one(self, group: tuple[str, str, bool]) -> int:
        """The next whose device is not in use: two on one would look like a stolen session, and be treated as one."""
        numbers = self._groups[group]
        for _ in range(min(len(numbers), LOOKED_AT_MAX)):
            number = numbers[self._turns[group] % len(numbers)]
            self._turns[group] += 1
            if number not in self._used:
                break
        return number

    def take_back(self, player: Player) -> None:
        """Remember the cookies of somebody who leaves. A night passes: access is over, a stranger is one again."""
        number, is_known = self._playing.pop(id(player))
        self._used.discard(number)
        player.cookies.pop("access", None)
        if is_known:
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
    casts: dict[Path, Cast] = {}
    while True:
        try:
            orders: Orders | AttackOrders | Path = pipe.recv()
        except EOFError:
            return
        if isinstance(orders, AttackOrders):
            from firstbell.rehearsal.load.attackers import Attack  # noqa: PLC0415 - only the process that attacks

            uvloop.run(Attack(orders).play(lambda tally: pipe.send((tally, []))))
        elif isinstance(orders, Path):
            if orders not in casts:
                casts = {orders: Cast(orders)}
        else:
            # A hundred thousand people at once, none of whom is rubbish: looking for it would hold up the schedule.
            gc.collect()
            gc.disable()
            uvloop.run(
                Performance(orders, casts[orders.cast]).play(lambda tally, receipts: pipe.send((tally, receipts)))
            )
        pipe.send(None)


def prepare_process(core: int | None) -> None:
    """Stay on `core`, and have as many connections as this machine allows."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, OPEN_FILES), hard))
