"""The real gate around a small application, on a stopped clock, for tests to ask."""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec

from firstbell.gate import bids
from firstbell.gate.announcement import Announcement
from firstbell.gate.asker import Askers, Declared, InsideCookie, Proofs, RouteTable
from firstbell.gate.build import admission_of, bidding_of
from firstbell.gate.calls import called_reader
from firstbell.gate.door import Door
from firstbell.gate.entry import EntryBudget, Load
from firstbell.gate.gate import Gate, Guest
from firstbell.gate.keeping import Keeper
from firstbell.gate.limits import limits_of
from firstbell.gate.pages import Voice
from firstbell.gate.waiting import WaitingRoom
from firstbell.gate.watch import Watch
from firstbell.kernel.asgi import Message, Receive, Scope, Send
from firstbell.kernel.clock import StoppedClock
from firstbell.kernel.http import security_headers
from firstbell.kernel.routes import Priority
from firstbell.kernel.signing import Key, Signer
from firstbell.settings import Settings

KEYS = (Key("t", bytes(32)),)
ROUTES = [
    Declared("GET", "/", {"priority": Priority.P1}),
    Declared("GET", "/courses/{course:uuid}/documents", {"priority": Priority.P2}),
    Declared("POST", "/hand-ins", {"priority": Priority.P0}),
    Declared("POST", "/sign-in", {"priority": Priority.P1, "hashes": True}),
    Declared("POST", "/notes", {"priority": Priority.P2, "body_bytes_max": 100}),
    Declared("POST", "/documents", {"priority": Priority.P3, "streams": True}),
]


class Place(msgspec.Struct, frozen=True):
    """A school."""

    id: UUID
    name: str
    locale: str
    zone: ZoneInfo = ZoneInfo("Europe/Brussels")


WILGE = Place(UUID(int=1), "De Wilge", "nl")
SAULE = Place(UUID(int=2), "Le Saule", "fr")
SCHOOLS = {"wilge.test": WILGE, "saule.test": SAULE}


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: bytes) -> str:
        return next((value.decode() for key, value in self.headers if key == name), "")

    def cookie(self, name: str) -> str:
        found = (re.match(f"{name}=([^;]*)", value.decode()) for key, value in self.headers if key == b"set-cookie")
        return next((match[1] for match in found if match), "")


PEACE = Load(is_overloaded=False, asked_per_s=0.0, cut_per_s=0.0, bearable_per_s=40.0)
STORM = Load(is_overloaded=True, asked_per_s=80.0, cut_per_s=40.0, bearable_per_s=40.0)
PATIENT = {"gate_wait_ms_max": 60_000, "gate_wait_standing_ms_max": 60_000, "gate_wait_first_ms_max": 60_000}
"""Whoever is in the queue waits by the real clock, and a machine that stands still for a moment is not tested here."""


class House:
    """A gate on a stopped clock, around an application that answers when it is told to."""

    def __init__(self, **settings: Any) -> None:
        self.clock = StoppedClock(datetime(2026, 9, 1, 6, 29, tzinfo=UTC))
        self.served = 0
        self.parts = 1
        self.missed: dict[bytes, int] = {}
        self.work: Callable[[], Awaitable[object]] = _nothing
        made = Settings(secret_keys=f"t:{'00' * 32}", **(PATIENT | settings))
        inside = InsideCookie(Signer(KEYS, "inside"))
        device = Signer(KEYS, "device")
        self.budget = EntryBudget(least_per_s=1.0)
        room = WaitingRoom(b"r" * 16, uuid4().bytes, unknown_share=0.2)
        self.door = Door(
            Signer(KEYS, "ticket"), room, self.budget, random.Random(1), questions_per_s=100.0, unknown_share=0.2
        )
        self._device = device
        self.limits = limits_of(made, lambda school: 1_000.0, lambda place: self.missed.get(place, 0))
        admission = admission_of(made, time.monotonic(), lambda school: 1.0)
        voice = Voice(security_headers(made), retry_s=4, chance=random.Random(1))
        self.bidding = bidding_of(made, b"bid", voice, self.limits.pace)
        self.gate = Gate(
            self._app,
            askers=Askers(
                RouteTable((*ROUTES, *bids.ROUTES)),
                SCHOOLS.get,
                Proofs(
                    inside,
                    lambda text, now: WILGE.id if text == "session" else None,
                    lambda text, now: device.verify(text) or b"",
                ),
                called_reader(made.edge_key),
                secure=False,
            ),
            door=self.door,
            voice=voice,
            inside=inside,
            guest_of=lambda scope: scope.get("guest"),
            clock=self.clock,
            admission=admission,
            keeper=Keeper(made.data_dir, room, admission.bearable, self.clock),
            publish=lambda subject, payload: False,
            watch=Watch(self.clock, lambda subject, payload: False),
            announcement=Announcement(lambda school: (), lambda school: 1.0),
            limits=self.limits,
            bidding=self.bidding,
            settings=made,
        )

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.work()
        if scope["method"] == "POST":
            await self.read(receive)
        self.served += 1
        scope["guest"] = Guest("3B") if scope["path"] == "/" else None
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(self.parts - 1):
            await send({"type": "http.response.body", "body": b"and ", "more_body": True})
        await send({"type": "http.response.body", "body": b"served"})

    def be_busy(self) -> None:
        """From now on entries are counted."""
        self.budget.adjust(1.0, STORM, waits=False)

    def pass_second(self) -> None:
        """What the gate does each second, in peace."""
        self.door.turn(self.clock.seconds(), 1.0, PEACE)
        self.limits.strangers.turn(1.0)

    def device_pass(self) -> str:
        return f"device={self._device.sign(uuid4().bytes)}"

    def later(self, seconds: float) -> None:
        self.clock.instant += timedelta(seconds=seconds)

    async def ask(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        host: str = "wilge.test",
        cookies: str = "",
        accept: str = "text/html",
        address: str = "198.51.100.7",
        headers: Sequence[tuple[bytes, bytes]] = (),
        receive: Receive | None = None,
        stall: bool = False,
    ) -> Answer:
        """Ask as a browser does; with `stall`, nothing of the body is ever read."""
        answer = Answer()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            elif stall:
                await asyncio.Event().wait()
            else:
                answer.body += message["body"]

        sent = [(b"host", host.encode()), (b"accept", accept.encode()), *headers]
        if cookies:
            sent.append((b"cookie", cookies.encode()))
        scope = {"type": "http", "method": method, "path": path, "headers": sent, "client": (address, 51_000)}
        await self.gate(scope, receive or whole_request, send)
        return answer

    @staticmethod
    async def read(receive: Receive) -> bytearray:
        """The whole body, as a handler reads it."""
        body = bytearray()
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                return body


async def _nothing() -> None:
    pass


async def whole_request() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
