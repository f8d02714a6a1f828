"""One person on a journey: asks, waits when told to, tries again as our pages do, and never faster."""

import random
import re
from collections.abc import Callable
from errno import ECONNREFUSED
from functools import partial
from typing import Protocol

from firstbell.rehearsal.bench.connection import Answer
from firstbell.rehearsal.journeys.step import Journey, Step
from firstbell.rehearsal.load.bidder import MARK, Bidder
from firstbell.rehearsal.load.line import Line, open_line
from firstbell.rehearsal.load.loop import Loop
from firstbell.rehearsal.load.orders import Target
from firstbell.rehearsal.load.player import Player
from firstbell.rehearsal.load.tally import Key, Tally

PATIENCE_S = 10.0
"""How long a browser waits for an answer before its reader taps again."""

RETRY_DEPOSIT, RETRY_COST, RETRIES_AT_FIRST = 0.1, 1.0, 3.0
"""The retry budget of our pages: a success earns a tenth of a retry."""

RETRY_AFTER_S = 5.0
"""When a refusal or a failure does not say when to come back."""

IDLE_S = 15.0
"""A longer pause than this closes the connection, as browsers on phones do."""

COME_BACKS_MAX = 50
"""Pages that wait come back by themselves; after so many times even the most patient does something else."""

ROSE = 1.1
TRUE_SHARE, TRUE_S = 0.2, 10.0
"""An estimate is true when it is wrong by at most this share of it, or so many seconds."""
_SERVER_ERROR = 500
_BUSY = frozenset({429, 503})
_PROGRESS = b"<progress"
_PLACE = re.compile(rb'<progress value="(\d+)" max="(\d+)"')
"""What the waiting room shows: the seconds since one came, and those until one is let in."""


class Stage(Protocol):
    """What a visitor needs of the crowd that it is in."""

    loop: Loop
    target: Target
    tally: Tally
    random: random.Random
    haste: float
    bidders: int

    @property
    def is_crowded(self) -> bool:
        """No more connections can be kept by those who wait."""

    @property
    def may_bid(self) -> bool:
        """One more may solve a puzzle."""

    def expect(self, visitor: "Visitor") -> None:
        """Watch that the visitor's answer comes before its patience ends."""

    def leave(self, visitor: "Visitor") -> None:
        """The journey is over."""

    def receive(self, receipt: str, player: Player) -> None:
        """The server acknowledged a write."""


class Visitor:
    """A player on a journey. Each step is due at a moment that does not depend on the server's slowness."""

    __slots__ = (
        "_arrived_s", "_bidding", "_come_backs", "_crowd", "_earliest_s", "_is_asking", "_is_known", "_is_reused",
        "_journey", "_key", "_latest_s", "_line", "_retries", "_stage", "_step", "_thought_s", "_waited_s",
        "_waiting_since_s", "_whole_s", "asked_s", "player", "turn",
    )  # fmt: skip

    def __init__(self, stage: Stage, crowd: str, player: Player, journey: Journey) -> None:
        self._stage = stage
        self._crowd = crowd
        self._journey = journey
        self._line: Line | None = None
        self._bidding: Bidder | None = None
        self._retries = RETRIES_AT_FIRST
        self._is_asking = False
        self._is_known = player.is_known
        self._is_reused = False
        self._arrived_s = self._thought_s = 0.0
        self._waiting_since_s: float | None = None
        self._earliest_s = self._latest_s = 0.0
        self._come_backs = self._waited_s = self._whole_s = 0
        self.player = player
        self.turn = 0
        self.asked_s = 0.0

    def arrive(self, due_s: float) -> None:
        """Begin the journey."""
        self._arrived_s = due_s
        self._stage.tally.people += 1
        self._go_on(None, due_s)

    def lose_patience(self, turn: int) -> None:
        """Give up the request of that turn when it still is the present one."""
        if turn == self.turn:
            self._drop_line()
            self._fail("no answer in time")

    def end(self) -> None:
        """Close what is open. A step that still waits after all patience was not served."""
        self.turn += 1
        if self._bidding is not None:
            self._bidding.stop()
        self._drop_line()
        if self._is_asking and self._is_known and self._stage.loop.now() - self._key.second > PATIENCE_S:
            self._stage.tally.known[False] += 1

    def _go_on(self, answer: Answer | None, from_s: float) -> None:
        """Take the next step, which is due a pause after `from_s`."""
        try:
            # A journey that has not begun takes no answer.
            self._step: Step = self._journey.send(answer)
        except StopIteration:
            self._drop_line()
            self._stage.leave(self)
            return
        pause_s = self._step.think_s / self._stage.haste
        if pause_s:
            pause_s = self._stage.random.expovariate(1 / pause_s)
            self._thought_s += pause_s
            self._plan(from_s + pause_s, self._begin)
        else:
            self._begin(from_s)

    def _plan(self, due_s: float, act: Callable[[float], None]) -> None:
        if due_s - self._stage.loop.now() > IDLE_S or self._stage.is_crowded:
            self._drop_line()
        self._stage.loop.at(due_s, act)

    def _begin(self, due_s: float) -> None:
        self._come_backs = 0
        self._is_asking = True
        self._key = self._key_at(due_s)
        self._stage.tally.offered[self._key] += 1
        self._ask(due_s)

    def _ask(self, due_s: float) -> None:
        self.asked_s = due_s
        self.turn += 1
        self._stage.expect(self)
        self._is_reused = self._line is not None and self._line.is_open
        if self._line is not None and self._is_reused:
            self._send(self._line)
        else:
            self._connect()

    def _connect(self) -> None:
        try:
            self._line = self._open_line()
        except OSError as error:
            self._fail("connection refused" if error.errno == ECONNREFUSED else f"no connection: {error.strerror}")
            return
        self._send(self._line)

    def _open_line(self) -> Line:
        return open_line(self._stage.loop, self.player.source, self._stage.target.address)

    def _send(self, line: Line) -> None:
        step = self._step
        line.ask(self.player.request(step.method, step.path, step.body, step.content_type), self._hear)

    def _hear(self, answer: Answer | str) -> None:
        self.turn += 1
        if isinstance(answer, str):
            if self._is_reused:  # it was closed while it was idle; browsers ask again at once, and so do we
                self._is_reused = False
                self._stage.expect(self)
                self._connect()
                return
            self._fail(f"connection {answer}")
            return
        self.player.keep(answer)
        if answer.status in self._step.wanted:
            self._be_served(answer)
        elif answer.status in _BUSY:
            self._be_refused(answer)
        else:
            # What the page did wrong it would do wrong again; only what the server did is worth another try.
            self._fail(f"status {answer.status} at {self._step.place}", may_retry=answer.status >= _SERVER_ERROR)

    def _be_served(self, answer: Answer) -> None:
        now_s, stage = self._stage.loop.now(), self._stage
        self._is_asking = False
        stage.tally.serve(self._key, now_s, now_s - self.asked_s)
        self._retries = min(self._retries + RETRY_DEPOSIT, RETRIES_AT_FIRST)
        if self.player.shares_address:
            stage.tally.addresses[int(now_s), self.player.source] += 1
        if self._is_known:
            stage.tally.known[True] += 1
        elif self._step.method == "POST" and self._step.path == "/sign-in":
            stage.tally.strangers[int(10 * (now_s - self._arrived_s - self._thought_s))] += 1
        if self._step.receipt:
            stage.receive(self._step.receipt, self.player)
        if self._waiting_since_s is not None:
            self._be_admitted(now_s)
        self._go_on(answer, now_s)

    def _be_admitted(self, now_s: float) -> None:
        waiting = self._stage.tally.waiting
        waiting.admitted += 1
        if self._whole_s and self._earliest_s <= now_s <= self._latest_s:
            waiting.kept[int(self._latest_s)] += 1
        self._waiting_since_s = None
        self._whole_s = self._waited_s = 0

    def _be_refused(self, answer: Answer) -> None:
        now_s, tally = self._stage.loop.now(), self._stage.tally
        tally.refuse(self._key_at(now_s), is_new=not self._is_reused)
        self._look_at_progress(answer.body, now_s)
        self._come_backs += 1
        comes_back = self._step.method == "GET" and self._come_backs < COME_BACKS_MAX
        if not comes_back and not self._may_retry():
            self._give_up()
            return
        if answer.header("connection") == "close":
            self._drop_line()
        told = answer.header("retry-after")
        due_s = now_s + (float(told) if told.isdigit() else RETRY_AFTER_S)
        if self._stage.may_bid and MARK in answer.body:
            self._bid(due_s)
        else:
            self._plan(due_s, self._ask)

    def _bid(self, due_s: float) -> None:
        """Come back at once when the bid was taken, else when the page would have."""
        try:
            if self._line is None or not self._line.is_open:
                self._line = self._open_line()
        except OSError:
            self._plan(due_s, self._ask)
            return
        self._stage.bidders += 1
        self._bidding = Bidder(self._stage.loop, self.player, self._line, partial(self._come_back, due_s))

    def _come_back(self, due_s: float, is_taken: bool) -> None:
        self._bidding = None
        self._stage.bidders -= 1
        now_s = self._stage.loop.now()
        self._plan(now_s if is_taken else max(now_s, due_s), self._ask)

    def _look_at_progress(self, page: bytes, now_s: float) -> None:
        at = page.find(_PROGRESS)  # most pages have none, and an expression takes ten times as long to find it
        place = _PLACE.match(page, at) if at >= 0 else None
        if place is not None:
            self._wait(int(place[1]), int(place[2]), now_s)

    def _wait(self, waited_s: int, whole_s: int, now_s: float) -> None:
        """Look at what the waiting room shows."""
        waiting = self._stage.tally.waiting
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s
            waiting.people += 1
        elif waited_s < self._waited_s:
            waiting.lost_places += 1
        self._waited_s = waited_s
        if whole_s <= 1:  # the estimate comes when those are counted who came at the same time
            return
        estimate_s = whole_s - waited_s
        self._stage.tally.estimate(now_s, estimate_s)
        if not self._whole_s:
            wrong_s = max(TRUE_S, TRUE_SHARE * estimate_s)
            self._earliest_s, self._latest_s = now_s + estimate_s - wrong_s, now_s + estimate_s + wrong_s
            waiting.promised[int(self._latest_s)] += 1
        elif whole_s > ROSE * self._whole_s:
            waiting.estimate_rose += 1
        self._whole_s = whole_s

    def _fail(self, reason: str, *, may_retry: bool = True) -> None:
        self.turn += 1
        now_s = self._stage.loop.now()
        self._stage.tally.fail(now_s, reason)
        if may_retry and self._may_retry():
            # Full jitter, so that those who failed together do not come back together.
            self._plan(now_s + self._stage.random.uniform(0.0, RETRY_AFTER_S), self._ask)
        else:
            self._give_up()

    def _may_retry(self) -> bool:
        if self._retries < RETRY_COST:
            return False
        self._retries -= RETRY_COST
        return True

    def _give_up(self) -> None:
        now_s = self._stage.loop.now()
        self._is_asking = False
        self._stage.tally.given_up[self._key_at(now_s)] += 1
        if self._is_known:
            self._stage.tally.known[False] += 1
        self._go_on(None, now_s)

    def _key_at(self, moment_s: float) -> Key:
        return Key(int(moment_s), self._crowd, int(self._step.urgency))

    def _drop_line(self) -> None:
        if self._line is not None:
            self._line.forget()
            self._line = None
