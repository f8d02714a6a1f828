"""The gate: pure ASGI around the application. Decides on every request before anything else runs, without I/O."""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from firstbell.gate.admission import Admission, Verdict
from firstbell.gate.announcement import Announcement
from firstbell.gate.asker import Asker, Askers, Inside, InsideCookie
from firstbell.gate.bidding import Bidding
from firstbell.gate.bids import PATH as BID
from firstbell.gate.body import Body
from firstbell.gate.brownout import Brownout
from firstbell.gate.cores import Cores
from firstbell.gate.cursor import GROUPS, hour_of, level_of
from firstbell.gate.door import Answered, Door, Passing
from firstbell.gate.entry import Load
from firstbell.gate.figures import Figures, Outcome, State
from firstbell.gate.keeping import Keeper
from firstbell.gate.lane import HashLane
from firstbell.gate.limits import Limits
from firstbell.gate.pages import Voice
from firstbell.gate.queue import Waiting
from firstbell.gate.sharing import SUBJECT, pack, unpack
from firstbell.gate.slot import Slot, UnreadError
from firstbell.gate.watch import Watch
from firstbell.kernel.asgi import App, Message, Receive, Said, Scope, Send
from firstbell.kernel.clock import Clock
from firstbell.kernel.cookies import cookie_text
from firstbell.kernel.errors import FirstbellError, SlowBodyError, TooLargeError, TooManyError
from firstbell.kernel.http import BROWNOUT, SOURCE
from firstbell.kernel.routes import Priority
from firstbell.settings import Settings

TICK_S = 0.01
"""How often the gate looks at the event loop and at deadlines while somebody waits for a slot."""
CALM_TICK_S = 0.05
"""How often it looks while nobody does: waking a worker that has little to do costs more than the look."""
SECOND_S = 1.0
TICKET_S = 43_200
"""How long a browser keeps its place: a phone that slept through a school day finds it."""

KEPT_S = 5
"""Whoever is to come back later than that gives the connection back when very many wait."""
KEPT_SHARE = 0.5
"""Very many are more than this share of all connections."""
CLOSE = (b"connection", b"close")

BELIEVED = (b"x-device", b"believed")
_REFUSALS = {Verdict.CUT: Outcome.CUT, Verdict.FULL: Outcome.FULL}
_NOES: dict[type[FirstbellError], Outcome] = {
    TooManyError: Outcome.DEVICE,
    TooLargeError: Outcome.LARGE,
    SlowBodyError: Outcome.SLOW,
}


class Guest(NamedTuple):
    """Whom the application found behind a request: `group` is the lesson group, "" for none."""

    group: str


class Gate:
    """One for each worker. `guest_of` tells, once the application has run, who was served, or None for a stranger."""

    def __init__(
        self,
        app: App,
        *,
        askers: Askers,
        door: Door,
        voice: Voice,
        inside: InsideCookie,
        guest_of: Callable[[Scope], Guest | None],
        clock: Clock,
        admission: Admission,
        keeper: Keeper,
        announcement: Announcement,
        limits: Limits,
        bidding: Bidding,
        publish: Callable[[str, bytes], bool],
        watch: Watch,
        settings: Settings,
    ) -> None:
        self._app = app
        self._askers = askers
        self._door = door
        self._voice = voice
        self._inside = inside
        self._guest_of = guest_of
        self._clock = clock
        self._inside_s = settings.inside_minutes * 60
        self._secure = settings.public_scheme == "https"
        self._keeping_max = settings.connections_max * KEPT_SHARE
        self._ticket_cookie = cookie_text("ticket", "%s", max_age_s=TICKET_S, secure=self._secure)
        self._unproven = [_cookie(name, "", max_age_s=0, secure=self._secure) for name in ("inside", "access")]
        self._limits = limits
        self._bidding = bidding
        self._hashing = HashLane(settings.sign_in_hashes_max + settings.sign_in_queue_max, settings.gate_school_share)
        self._brownout = Brownout(settings.gate_queuing_ms_max / 1_000, settings.gate_brownout_min)
        self._keeper = keeper
        self._announcement = announcement
        self._publish = publish
        self._watch = watch
        self.admission = admission
        self._cores = Cores()
        self.figures = Figures()
        self._tick_s = CALM_TICK_S
        self._due = 0.0
        self._second_began = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take up the waiting room where it was left, and begin to watch the event loop."""
        self._door.room.join(self._clock.seconds())
        self._keeper.start()
        self._door.resume(self.admission.bearable)
        self._due = self._second_began = time.monotonic()
        self._plan()

    async def stop(self) -> None:
        """End what `start` began."""
        if self._timer is not None:
            self._timer.cancel()
        await self._keeper.stop()

    async def hear_room(self, payload: bytes) -> None:
        """Take what another worker tells of the waiting room.

        Raises:
            msgspec.MsgspecError: it is no such message.
        """
        self._door.room.hear(unpack(payload), self._clock.seconds())

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request, let it wait, or say when to come back: a refusal is `Said` before anything is awaited."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        now_s = self._clock.seconds()
        asker = self._askers.read(scope, now_s)
        if asker.holder and not self._limits.devices.take(asker.holder, now_s):
            return self._say_no(asker, TooManyError, send)
        answered = None
        if asker.inside is None and asker.school is not None:
            is_busy = not asker.device and self._limits.strangers.come(asker.school_id, self._limits.sources.of(scope))
            if scope["path"] == BID and not asker.device:
                return self._bid(asker, now_s, scope, receive, send)
            is_pressed = self.admission.is_pressed
            answered = self._door.ask(asker, asker.school, now_s, is_busy=is_busy, is_pressed=is_pressed)
            if answered.passing is not Passing.IN:
                return self._send_away(asker, answered, now_s, send)
            if not asker.rule.hashes:  # which takes no slot
                self.admission.expect()
        send = self._with_cookies(asker, answered, now_s, scope, send)
        if asker.is_safe:
            return self._turn_away(asker, now_s, send) or self._admit(asker, scope, receive, send)
        return self._take_body(asker, now_s, scope, receive, send)

    async def _take_body(self, asker: Asker, now_s: float, scope: Scope, receive: Receive, send: Send) -> None:
        rule = asker.rule
        if rule.streams:
            await (self._turn_away(asker, now_s, send) or self._admit(asker, scope, receive, send))
            return
        body = Body(receive, rule.body_bytes_max or self._limits.form_bytes_max, self._limits.pace)
        try:
            body.check(scope)
            receive = await body.arrive() if rule.hashes else body.receive
        except (SlowBodyError, TooLargeError) as error:
            await self._say_no(asker, type(error), send)
            return
        if rule.hashes:
            scope[SOURCE] = self._limits.sources.of(scope)
            await self._hash(asker, scope, receive, send)
        else:
            await (self._turn_away(asker, now_s, send) or self._admit(asker, scope, receive, send))

    def _turn_away(self, asker: Asker, now_s: float, send: Send) -> Said | None:
        """The answer to a request for which there is no room; None for one that is to be admitted."""
        priority = _priority_of(asker)
        verdict = self.admission.turn_away(asker.school_id, priority, _level_of(asker, priority, now_s))
        if verdict is None:
            return None
        self.figures.count(priority, _REFUSALS[verdict], asker.school_id)
        return self._refuse(asker, send)

    async def _admit(self, asker: Asker, scope: Scope, receive: Receive, send: Send) -> None:
        priority = _priority_of(asker)
        verdict = self.admission.enter(asker.school_id, priority, time.monotonic())
        outcome = Outcome.ADMITTED
        if isinstance(verdict, Waiting):
            self._look_often()
            outcome, receive = await self._wait(verdict, asker, receive)
        self.figures.count(priority, outcome, asker.school_id)
        await (self._work(asker, scope, receive, send) if outcome is Outcome.ADMITTED else self._refuse(asker, send))

    async def _wait(self, waiting: Waiting, asker: Asker, receive: Receive) -> tuple[Outcome, Receive]:
        """Wait for a slot, for as long as the client does."""
        slot: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting.wake = lambda is_admitted: None if slot.done() else slot.set_result(is_admitted)
        gone: asyncio.Future[Message] | None = None
        try:
            if asker.is_safe:
                first = await receive()
                gone = asyncio.ensure_future(receive())
                waiting.is_gone = partial(_has_gone, gone)
                receive = _replayed(first, gone)
            is_admitted = await slot
        except asyncio.CancelledError:
            waiting.is_gone = _always
            if slot.done() and not slot.cancelled() and slot.result():
                self.admission.leave(waiting.school, time.monotonic())
            raise
        if is_admitted:
            return Outcome.ADMITTED, receive
        if gone is not None and not gone.done():
            gone.cancel()
        return Outcome.GONE if waiting.is_gone() else Outcome.LATE, receive

    async def _work(self, asker: Asker, scope: Scope, receive: Receive, send: Send) -> None:
        scope[BROWNOUT] = self._brownout.level
        slot = Slot(self.admission, asker.school_id, self._limits.answer_stall_s)
        try:
            await self._app(scope, receive if asker.is_safe else slot.receiving(receive), slot.sending(send))
        except* UnreadError:
            self.figures.count(asker.rule.priority, Outcome.UNREAD, asker.school_id)
        finally:
            slot.leave()

    async def _hash(self, asker: Asker, scope: Scope, receive: Receive, send: Send) -> None:
        """Passwords are hashed in a lane of their own; a body that still comes takes no place in it."""
        school = asker.school_id
        is_in = self._hashing.enter(school, is_known=asker.is_known)
        self.figures.count(asker.rule.priority, Outcome.ADMITTED if is_in else Outcome.HASHING, school)
        if not is_in:
            await self._refuse(asker, send)
            return
        try:
            scope[BROWNOUT] = self._brownout.level
            await self._app(scope, receive, send)
        finally:
            self._hashing.leave(school)

    async def _bid(self, asker: Asker, now_s: float, scope: Scope, receive: Receive, send: Send) -> None:
        """Strangers may bid whenever they wait, and a school's address is never too busy for that."""
        school = asker.school
        assert school is not None  # noqa: S101 - whoever is nowhere does not wait
        ticket = self._door.ticket_of(asker, school)
        bid = await self._bidding.answer(school, ticket, now_s, scope, receive)
        self.figures.count(asker.rule.priority, bid.outcome, asker.school_id)
        if bid.winner is None:
            await bid.answer.send(send)
            return
        send = self._with_cookies(asker, Answered(Passing.IN, bid.winner), now_s, scope, send)
        await bid.answer.send(send)

    def _say_no(self, asker: Asker, error: type[FirstbellError], send: Send) -> Said:
        self.figures.count(asker.rule.priority, _NOES[error], asker.school_id)
        answer = self._voice.no(error, asker.school, as_page=asker.wants_page, is_form=not asker.is_safe)
        return answer.send(send)

    def _refuse(self, asker: Asker, send: Send, cookies: Sequence[tuple[bytes, bytes]] = ()) -> Said:
        answer = self._voice.refusal(asker.school, as_page=asker.wants_page, is_form=not asker.is_safe)
        return answer.send(send, cookies)

    def _send_away(self, asker: Asker, answered: Answered, now_s: float, send: Send) -> Said:
        school = asker.school
        if answered.ticket is None or school is None:
            self.figures.count(asker.rule.priority, Outcome.OUTSIDE, asker.school_id)
            # What let them pass the edge is worth nothing; without it they get a place in the line there.
            worthless = self._unproven if self._door.is_before(asker, now_s) else ()
            return self._refuse(asker, send, worthless)
        self.figures.count(asker.rule.priority, Outcome.WAITED, asker.school_id)
        last_s = self._door.room.last_wait_s(answered.ticket)
        page = self._voice.waiting(school, answered.ticket, answered.poll_s, now_s, last_s)
        cookie = self._ticket_cookie % self._door.cookie_of(answered.ticket)
        extra = [(b"set-cookie", cookie.encode()), *_belief(asker)]
        if answered.poll_s > KEPT_S and self._door.room.waiting > self._keeping_max:
            extra.append(CLOSE)
        return page.send(send, extra)

    def _with_cookies(self, asker: Asker, answered: Answered | None, now_s: float, scope: Scope, send: Send) -> Send:
        """`send`, which adds the proof of being inside to an answer when it is new, old, or says too little."""
        inside = asker.inside
        if inside is not None and inside.is_known and inside.until_s - now_s > self._inside_s / 2:
            return send
        if asker.school is None:
            return send

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookies = [self._inside_cookie(asker, answered, now_s, scope)]
                if answered is not None and answered.ticket is not None:
                    cookies.append(_cookie("ticket", "", max_age_s=0, secure=self._secure))
                message["headers"] = [*message["headers"], *cookies, *_belief(asker)]
            await send(message)

        return send_with_cookies

    def _inside_cookie(
        self, asker: Asker, answered: Answered | None, now_s: float, scope: Scope
    ) -> tuple[bytes, bytes]:
        guest, school = self._guest_of(scope), asker.school_id
        ticket = answered.ticket if answered is not None else None
        holder = asker.holder or (ticket.holder if ticket is not None else self._door.new_holder())
        group = (zlib.crc32(guest.group.encode(), zlib.crc32(school)) & 0xFFFF or 1) if guest and guest.group else 0
        is_known = asker.is_known or guest is not None
        text = self._inside.text(Inside(school, holder, group, is_known, int(now_s) + self._inside_s))
        return _cookie("inside", text, max_age_s=self._inside_s, secure=self._secure)

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = time.monotonic() + self._tick_s
        self._timer = loop.call_later(self._tick_s, self._tick)

    def _look_often(self) -> None:
        """Until a second ends at which nobody waits: deadlines are a few ticks long."""
        if self._tick_s > TICK_S and self._timer is not None:
            self._tick_s = TICK_S
            self._timer.cancel()
            self._plan()

    def _tick(self) -> None:
        now = time.monotonic()
        self.admission.tick(now, max(0.0, now - self._due), self._cores.used_s)
        self._bidding.fill(self._door.budget.rate_per_s)
        if now - self._second_began >= SECOND_S:
            self._close_second(now)
        self._plan()

    def _close_second(self, now: float) -> None:
        admission, room, now_s = self.admission, self._door.room, self._clock.seconds()
        seconds, self._second_began = now - self._second_began, now
        bearable = admission.bearable
        bearable.refuse(self.figures.refused() / seconds)
        asked_per_s, cut_per_s = self.figures.asked() / seconds, self.figures.cut() / seconds
        load = Load(admission.is_overloaded, asked_per_s, cut_per_s, bearable.per_s, bearable.most_per_s)
        self._door.turn(now_s, seconds, load)
        if not self._door.budget.is_limited:
            bearable.rest()
            self._tick_s = TICK_S if admission.queue.size else CALM_TICK_S
        self._limits.strangers.turn(seconds)
        self._bidding.turn(seconds)
        room.reach(now_s, is_connected=self._publish(SUBJECT, pack(room.tell(now_s))))
        self._keeper.keep()
        self._brownout.adjust(admission.queuing_s)
        levels = {school: cursor.cut for school, cursor in admission.cursors.by_school.items()}
        self._announcement.tell(now_s, levels, room.cursors, self._door.calls)
        state = State(
            slots=admission.limit.slots,
            inflight=admission.inflight,
            queued=admission.queue.size,
            queuing_ms=round(admission.queuing_s * 1_000, 1),
            cut=admission.cursors.cut,
            waiting=room.waiting,
            longest_wait_s=round(room.longest_wait_s()),
            entries_per_s=self._door.budget.rate_per_s if self._door.budget.is_limited else 0.0,
            brownout=self._brownout.level,
        )
        self._watch.tell(seconds, state, self.figures.close_second(state))


def _belief(asker: Asker) -> list[tuple[bytes, bytes]]:
    """Tells the edge, which cannot check it, that the device pass of this request is ours; it tells nobody else."""
    return [BELIEVED] if asker.device else []


def _priority_of(asker: Asker) -> Priority:
    """The class; what must never fail is only for who is known."""
    priority = asker.rule.priority
    return Priority.P4 if priority is Priority.P0 and not asker.is_known else priority


def _level_of(asker: Asker, priority: Priority, now_s: float) -> int:
    """The level; strangers come last in their class."""
    if asker.is_known:
        return level_of(priority, asker.inside.group if asker.inside else 0, hour_of(now_s))
    return priority * GROUPS + GROUPS - 1


def _replayed(first: Message, second: "asyncio.Future[Message]") -> Receive:
    """The messages that were read while the request waited, then what follows."""
    messages: list[Any] = [second, first]

    async def receive() -> Message:
        message = messages.pop() if len(messages) > 1 else messages[0]
        return message if message is first else await message

    return receive


def _cookie(name: str, value: str, *, max_age_s: int, secure: bool) -> tuple[bytes, bytes]:
    return b"set-cookie", cookie_text(name, value, max_age_s=max_age_s, secure=secure).encode()


def _has_gone(following: "asyncio.Future[Message]") -> bool:
    return following.done() and not following.cancelled() and following.result()["type"] == "http.disconnect"


def _always() -> bool:
    return True
