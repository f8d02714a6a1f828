"""Signing in and out."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from firstbell.domains.people import queries
from firstbell.domains.people.access import CookieJar
from firstbell.domains.people.actions import Sessions, SignIn
from firstbell.domains.people.model import PUBLIC, SIGNED_IN, Session, Viewer, browser_name, page_to_open, sign_in_key
from firstbell.kernel.clock import Ids
from firstbell.kernel.db import Transaction
from firstbell.kernel.html import page
from firstbell.kernel.http import see_other, visit_of
from firstbell.kernel.i18n import mark
from firstbell.kernel.passwords import PasswordLane
from firstbell.kernel.problems import translate
from firstbell.kernel.routes import Priority, route

_WRONG = mark("This name and password do not go together. Look at both and try again.")

Asked = Request[Any, Any, Any]


class SignInForm(msgspec.Struct, frozen=True):
    """What the sign-in page sends."""

    name: Annotated[str, msgspec.Meta(max_length=200)]
    password: Annotated[str, msgspec.Meta(max_length=1_000)]
    next: Annotated[str, msgspec.Meta(max_length=2_000)] = "/"
    is_shared_device: str = ""


@get("/sign-in", opt=route(PUBLIC, Priority.P1))
async def show_sign_in(request: Asked, jar: CookieJar) -> Response[Any]:
    """The form, or onwards for whoever is signed in already."""
    wanted = page_to_open(request.query_params.get("next", "/"))
    if visit_of(request.scope).viewer is not None or jar.refresh_token(request) is not None:
        return see_other(wanted)
    return page(request, "people/sign_in.html", name="", next=wanted, is_shared=False, error=None)


@post("/sign-in", opt=route(PUBLIC, Priority.P1))
async def sign_in(
    request: Asked,
    *,
    data: Annotated[SignInForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    tx: Transaction,
    jar: CookieJar,
    ids: Ids,
    passwords: PasswordLane,
    sessions: Sessions,
) -> Response[Any]:
    """Start a session for whoever gives the right password."""
    visit = visit_of(request.scope)
    credentials = await queries.find_credentials(tx, visit.school.id, sign_in_key(data.name))
    await tx.let_go()
    is_right = await passwords.verify(data.password, credentials.password_hash if credentials else None)
    is_shared = bool(data.is_shared_device)
    session: Session | None = None
    if is_right and credentials is not None:
        known = None if is_shared else jar.device_id(request, visit.clock.seconds())
        device_id = known or ids.new()
        browser = browser_name(request.headers.get("user-agent", ""))
        session = await sessions.start(tx, SignIn(visit.school.id, device_id, browser, is_shared), credentials)
    if session is None:
        return page(
            request,
            "people/sign_in.html",
            status=422,
            name=data.name,
            next=page_to_open(data.next),
            is_shared=is_shared,
            error=translate(visit, _WRONG, {}),
        )
    jar.keep(visit, session)
    if not is_shared:
        jar.keep_device(visit, device_id)
    return see_other(page_to_open(data.next))


@post("/sign-out", opt=route(SIGNED_IN, Priority.P1))
async def sign_out(
    request: Asked, tx: Transaction, viewer: Viewer, jar: CookieJar, sessions: Sessions
) -> Response[Any]:
    """End the session of this browser and what the browser kept of it."""
    await sessions.end(tx, viewer.school_id, viewer.session_id)
    jar.drop(visit_of(request.scope))
    return see_other("/sign-in", {"Clear-Site-Data": '"cache", "storage"'})


HANDLERS = [show_sign_in, sign_in, sign_out]
