"""Wires everything together; only the command line imports it."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.routes import ASGIRoute, HTTPRoute

from firstbell.domains.courses import pages as courses
from firstbell.domains.documents import api as documents_api
from firstbell.domains.documents.access import Addresses
from firstbell.domains.people import api as people_api
from firstbell.domains.people import pages as people
from firstbell.domains.people.access import CookieJar, Entrance, NoSchoolError, Revocations, Schools
from firstbell.domains.people.actions import Accounts, Sessions
from firstbell.domains.people.model import Viewer
from firstbell.domains.timetable import pages as timetable
from firstbell.domains.timetable.access import SharedCards
from firstbell.domains.timetable.actions import LessonBook
from firstbell.domains.views import pages as views
from firstbell.domains.views.access import SharedNews
from firstbell.domains.views.pages.menu import navigation
from firstbell.gate import sharing, watch
from firstbell.gate.asker import Declared
from firstbell.gate.bids import ROUTES as GATE_ROUTES
from firstbell.gate.build import Neighbours, build_gate
from firstbell.gate.gate import Guest
from firstbell.kernel.asgi import App, Scope
from firstbell.kernel.blobs import Blobs
from firstbell.kernel.bus import Bus, BusState
from firstbell.kernel.calls import Calls
from firstbell.kernel.changes import SUBJECT, Changes
from firstbell.kernel.clock import Ids, clock_from
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.guesses import Guesses
from firstbell.kernel.html import STATIC, compile_templates
from firstbell.kernel.http import Doorway
from firstbell.kernel.injection import resolve_in_turn
from firstbell.kernel.logs import configure_logs
from firstbell.kernel.passwords import PasswordLane
from firstbell.kernel.probes import Probes
from firstbell.kernel.problems import answer_error
from firstbell.kernel.signing import Signer, parse_keys
from firstbell.kernel.static import Static
from firstbell.kernel.visit import visit_of
from firstbell.settings import Settings, read_settings

HANDLERS = [
    *people.HANDLERS,
    *people_api.HANDLERS,
    *documents_api.HANDLERS,
    *courses.HANDLERS,
    *timetable.HANDLERS,
    *views.HANDLERS,
]


GARBAGE_OBJECTS = 20_000
"""New objects between two looks of the collector, some hundred requests; Python's own 700 are not one page."""


def create_app(settings: Settings | None = None, *, has_gate: bool = True) -> App:
    """The whole web application for one worker; settings from the environment unless given.

    Without the gate it is only good for measuring what the gate costs.
    """
    settings = settings or read_settings()
    configure_logs(settings.log_level)
    return _Worker(settings).app(has_gate=has_gate)


class _Worker:
    """What one web process has, made once: in memory at first, connected while it runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = clock_from(settings.clock)
        self.ids = Ids(self.clock)
        self.schools = Schools()
        self.cards = SharedCards(settings, self.clock, lambda school_id: self.schools.of(school_id).zone)
        self.news = SharedNews(settings, self.clock)
        self.jar = CookieJar(settings)
        self.sessions = Sessions(settings, self.clock, self.ids)
        self.passwords = PasswordLane(at_once=settings.sign_in_hashes_max, waiting_max=settings.sign_in_queue_max)
        self.guesses = self._guesses()
        self.blobs = Blobs.open(settings)
        self.revocations = Revocations(self.clock, access_s=settings.access_seconds, ids_max=settings.revocations_max)
        self.bus = Bus(settings.nats_url, "web")
        self.watch = watch.Watch(self.clock, self._tell)
        self.changes = self._changes()
        self.entrance = Entrance(self.schools, self.jar, self.sessions.refresh, self.revocations, self.changes)

    def app(self, *, has_gate: bool) -> App:
        """The layers that a request passes, the outermost last."""
        resolve_in_turn()
        litestar = self.litestar()
        doorway = Doorway(Calls(litestar), pool=self._pool_now, clock=self.clock, ids=self.ids, settings=self.settings)
        jar, schools = self.jar, self.schools
        neighbours = Neighbours(
            schools.at,
            schools.size_of,
            self.guesses.names_missed,
            _school_of_viewer(jar),
            jar.device_in,
            schools.hosts_of,
            _guest_of,
            self._tell,
            self.watch,
        )
        self.gate = build_gate(doorway, self.settings, self.clock, _declared_routes(litestar), neighbours)
        self.bus.subscribe(sharing.SUBJECT, self.gate.hear_room)
        self.bus.subscribe(watch.SUBJECT, self.watch.hear)
        front = self.gate if has_gate else doorway
        self.probes = Probes(front, pool=self._pool_now, bus=lambda: self.bus.state, settings=self.settings)
        return Static(self.probes, STATIC)

    def _guesses(self) -> Guesses:
        return Guesses(
            per_s=self.settings.guesses_per_hour / 3_600,
            burst=self.settings.guesses_max,
            names_max=self.settings.guessed_names_max,
            salt=Signer(parse_keys(self.settings.secret_keys), "guesses").mac(b""),
        )

    def _changes(self) -> Changes:
        changes = Changes(poll_s=self.settings.changes_poll_seconds, old_s=self.settings.changes_old_seconds)
        for kind in ("session", "account", "person"):
            changes.on(kind, self.revocations.hear)
        changes.on("lessons", self.cards.hear_lessons)
        changes.on("documents", self.cards.hear_documents)
        changes.on("documents", self.news.hear_documents)
        changes.on("school", lambda _: self.schools.load(self.pool))
        self.bus.subscribe(SUBJECT, changes.hear)
        self.bus.on_connect(changes.hear)
        return changes

    def litestar(self) -> Litestar:
        """The application itself."""
        shared: dict[str, Any] = {
            "addresses": Addresses(Signer(parse_keys(self.settings.secret_keys), "blobs"), self.clock),
            "blobs": self.blobs,
            "cards": self.cards,
            "desk": self._desk(),
            "entrance": self.entrance,
            "ids": self.ids,
            "lesson_book": LessonBook(self.settings, self.clock),
            "news": self.news,
            "schools": self.schools,
            "settings": self.settings,
        }
        return Litestar(
            route_handlers=HANDLERS,
            before_request=self.entrance,
            dependencies={
                "tx": Provide(_transaction, sync_to_thread=False),
                "viewer": Provide(_viewer, sync_to_thread=False),
                "pressure": Provide(self.watch.pressure, sync_to_thread=False),
                **{name: Provide(_always(value), sync_to_thread=False) for name, value in shared.items()},
            },
            exception_handlers={
                NoSchoolError: people.answer_no_school,
                NotFoundException: people.answer_nowhere,
                Exception: answer_error,
            },
            lifespan=[self._connected],
            state=State({**shared, "navigation": navigation}),
            openapi_config=None,
            logging_config=None,
        )

    def _desk(self) -> people.Desk:
        accounts = Accounts(self.settings, self.clock, self.ids)
        return people.Desk(self.jar, self.sessions, accounts, self.passwords, self.guesses, self.ids, self.settings)

    @asynccontextmanager
    async def _connected(self, app: Litestar) -> AsyncIterator[None]:
        self.pool = app.state.pool = await Pool.open(
            self.settings.database_url,
            connections_max=self.settings.database_connections_max,
            statement_timeout_ms=self.settings.database_statement_timeout_ms,
            plans_once=True,
            publish=self._publish,
        )
        await self.schools.load(self.pool)
        for locale in {school.locale for school, _ in self.schools.all}:
            compile_templates(locale)
        await self.changes.start(self.pool, since_s=self.settings.access_seconds)
        await self.bus.start()
        self.gate.start()
        _spare_collector()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.probes.drain)
        try:
            yield
        finally:
            await self.gate.stop()
            await self.changes.stop()
            await self.bus.stop()
            self.passwords.close()
            self.blobs.close()
            await self.pool.close()

    def _publish(self, subject: str) -> None:
        self.bus.publish(subject, b"")
        if subject == SUBJECT:
            self.changes.hint()  # without NATS, this worker at least hears at once

    def _tell(self, subject: str, payload: bytes) -> bool:
        is_connected = self.bus.state is BusState.CONNECTED
        if is_connected:  # what the gate says each second is worth nothing later
            self.bus.publish(subject, payload)
        return is_connected

    def _pool_now(self) -> Pool:
        return self.pool


def _spare_collector() -> None:
    """Python's collector looks for rings of objects. What was made until now stays, and requests leave few."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 10, 100)


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def declared_routes() -> list[Declared]:
    """What is declared beside each route of the application."""
    with TemporaryDirectory() as folder:
        return _declared_routes(_Worker(Settings(secret_keys=f"none:{'0' * 64}", data_dir=Path(folder))).litestar())


def _declared_routes(litestar: Litestar) -> list[Declared]:
    """What the gate must know of each method of each route, its own too, and of whatever lies below a mount."""
    mounted = [
        Declared("GET", f"{route.path}/{{rest:path}}", route.route_handler.opt)
        for route in litestar.routes
        if isinstance(route, ASGIRoute)
    ]
    return [*GATE_ROUTES, *mounted] + [
        Declared(method, route.path, handler.opt)
        for route in litestar.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
    ]


def _school_of_viewer(jar: CookieJar) -> Callable[[str, float], UUID | None]:
    def school_of_viewer(text: str, now_s: float) -> UUID | None:
        viewer = jar.viewer_in(text, now_s)
        return None if viewer is None else viewer.school_id

    return school_of_viewer


def _guest_of(scope: Scope) -> Guest | None:
    visit = scope.get("firstbell")
    return None if visit is None or visit.viewer is None else Guest(visit.viewer.place)


def _transaction(request: Request[Any, Any, Any]) -> Transaction:
    return visit_of(request.scope).transaction


def _viewer(request: Request[Any, Any, Any]) -> Viewer:
    viewer: Viewer = visit_of(request.scope).viewer
    return viewer
