"""Wires everything together; only the command line imports it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.routes import HTTPRoute

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
from firstbell.gate.asker import Declared
from firstbell.gate.build import Neighbours, build_gate
from firstbell.gate.gate import Guest
from firstbell.kernel.asgi import App, Scope
from firstbell.kernel.blobs import Blobs
from firstbell.kernel.bus import Bus
from firstbell.kernel.changes import SUBJECT, Changes
from firstbell.kernel.clock import Ids, clock_from
from firstbell.kernel.db import Pool, Transaction
from firstbell.kernel.html import STATIC
from firstbell.kernel.http import Doorway, visit_of
from firstbell.kernel.injection import resolve_in_turn
from firstbell.kernel.logs import configure_logs
from firstbell.kernel.passwords import PasswordLane
from firstbell.kernel.probes import Probes
from firstbell.kernel.problems import answer_error
from firstbell.kernel.signing import Signer, parse_keys
from firstbell.kernel.static import Static
from firstbell.settings import Settings, read_settings


def create_app(settings: Settings | None = None) -> App:
    """The whole web application for one worker; settings from the environment unless given."""
    settings = settings or read_settings()
    configure_logs(settings.log_level)
    clock = clock_from(settings.clock)
    ids = Ids(clock)
    schools = Schools()
    bus = Bus(settings.nats_url, "web")
    jar = CookieJar(settings)
    sessions = Sessions(settings, clock, ids)
    revocations = Revocations(clock, access_s=settings.access_seconds, ids_max=settings.revocations_max)
    changes = Changes(poll_s=settings.changes_poll_seconds, old_s=settings.changes_old_seconds)
    for kind in ("session", "account", "person"):
        changes.on(kind, revocations.hear)
    cards = SharedCards(settings, clock, lambda school_id: schools.of(school_id).zone)
    news = SharedNews(settings, clock)
    _keep_shared_days_fresh(changes, cards, news)
    bus.subscribe(SUBJECT, changes.hear)
    bus.on_connect(changes.hear)
    entrance = Entrance(schools, jar, sessions.refresh, revocations, changes)
    blobs = Blobs.open(settings)
    addresses = Addresses(Signer(parse_keys(settings.secret_keys), "blobs"), clock)
    passwords = PasswordLane(at_once=settings.sign_in_hashes_max, waiting_max=settings.sign_in_queue_max)
    desk = people.Desk(jar, sessions, Accounts(settings, clock, ids), passwords, ids, settings)

    def publish(subject: str) -> None:
        bus.publish(subject, b"")
        if subject == SUBJECT:
            changes.hint()  # without NATS, this worker at least hears at once

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.pool = await Pool.open(
            settings.database_url,
            connections_max=settings.database_connections_max,
            statement_timeout_ms=settings.database_statement_timeout_ms,
            publish=publish,
        )
        await schools.load(app.state.pool)
        changes.on("school", lambda _: schools.load(app.state.pool))
        await changes.start(app.state.pool, since_s=settings.access_seconds)
        await bus.start()
        gate.start()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, probes.drain)
        try:
            yield
        finally:
            await gate.stop()
            await changes.stop()
            await bus.stop()
            passwords.close()
            blobs.close()
            await app.state.pool.close()

    resolve_in_turn()
    litestar = Litestar(
        route_handlers=[
            *people.HANDLERS,
            *people_api.HANDLERS,
            *documents_api.HANDLERS,
            *courses.HANDLERS,
            *timetable.HANDLERS,
            *views.HANDLERS,
        ],
        guards=[entrance],
        dependencies={
            "tx": Provide(_transaction, sync_to_thread=False),
            "viewer": Provide(_viewer, sync_to_thread=False),
            "addresses": Provide(lambda: addresses, sync_to_thread=False),
            "blobs": Provide(lambda: blobs, sync_to_thread=False),
            "settings": Provide(lambda: settings, sync_to_thread=False),
            "desk": Provide(lambda: desk, sync_to_thread=False),
            "entrance": Provide(lambda: entrance, sync_to_thread=False),
            "schools": Provide(lambda: schools, sync_to_thread=False),
            "lesson_book": Provide(lambda: LessonBook(settings, clock), sync_to_thread=False),
            "cards": Provide(lambda: cards, sync_to_thread=False),
            "ids": Provide(lambda: ids, sync_to_thread=False),
        },
        exception_handlers={NoSchoolError: people.answer_no_school, Exception: answer_error},
        lifespan=[lifespan],
        state=State(
            {
                "schools": schools,
                "settings": settings,
                "cards": cards,
                "news": news,
                "blobs": blobs,
                "addresses": addresses,
                "navigation": navigation,
            }
        ),
        openapi_config=None,
        logging_config=None,
    )
    served = cast(App, litestar)  # Litestar types the messages of ASGI one by one
    doorway = Doorway(served, pool=lambda: litestar.state.pool, clock=clock, ids=ids, settings=settings)
    neighbours = Neighbours(schools.at, schools.size_of, _school_of_viewer(jar), jar.device_in, _guest_of)
    gate = build_gate(doorway, settings, clock, _declared_routes(litestar), neighbours)
    probes = Probes(gate, pool=lambda: litestar.state.pool, bus=lambda: bus.state, settings=settings)
    return Static(probes, STATIC)


def _declared_routes(litestar: Litestar) -> list[Declared]:
    """What the gate must know of each method of each route."""
    return [
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


def _keep_shared_days_fresh(changes: Changes, cards: SharedCards, news: SharedNews) -> None:
    changes.on("lessons", cards.hear_lessons)
    changes.on("documents", cards.hear_documents)
    changes.on("documents", news.hear_documents)


def _transaction(request: Request[Any, Any, Any]) -> Transaction:
    return visit_of(request.scope).transaction


def _viewer(request: Request[Any, Any, Any]) -> Viewer:
    viewer: Viewer = visit_of(request.scope).viewer
    return viewer
