"""Signing in with a password, and out of this browser."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post

from firstbell.domains.people import queries
from firstbell.domains.people.model import (
    PUBLIC,
    SIGNED_IN,
    Viewer,
    page_to_open,
    sign_in_key,
)
from firstbell.domains.people.pages.desk import FORM, SECRETS_BYTES_MAX, Asked, Desk, Secret, Word, signed_out
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import BusyError, InvalidError
from firstbell.kernel.html import page
from firstbell.kernel.http import see_other
from firstbell.kernel.i18n import mark
from firstbell.kernel.problems import translate, wants_page
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of

_WRONG = mark("This name and password do not go together. Look at both and try again.")


class SignInForm(msgspec.Struct, frozen=True):
    """What the sign-in page sends."""

    name: Word
    password: Secret
    next: Annotated[str, msgspec.Meta(max_length=2_000)] = "/"
    is_shared_device: str = ""


@get("/sign-in", opt=route(PUBLIC, Priority.P1))
async def show_sign_in(request: Asked, desk: Desk) -> Response[Any]:
    """The form, or onwards for whoever is signed in already."""
    wanted = page_to_open(request.query_params.get("next", "/"))
    visit = visit_of(request.scope)
    if visit.viewer is not None or desk.jar.refresh_token(visit) is not None:
        return see_other(wanted)
    return page(request, "people/sign_in.html", name="", next=wanted, is_shared=False, error=None)


@post("/sign-in", opt=route(PUBLIC, Priority.P1, body_bytes_max=SECRETS_BYTES_MAX, hashes=True))
async def sign_in(request: Asked, data: Annotated[SignInForm, FORM], tx: Transaction, desk: Desk) -> Response[Any]:
    """Start a session for whoever gives the right password."""
    visit = visit_of(request.scope)
    attempt = desk.attempt(request, sign_in_key(data.name))
    desk.guesses.begin(attempt, visit.clock.seconds())
    credentials = await queries.find_credentials(tx, visit.school.id, attempt.name)
    await tx.let_go()
    try:
        is_right = await desk.passwords.verify(data.password, credentials.password_hash if credentials else None)
    except BusyError:
        desk.guesses.was_none(attempt)
        raise
    is_shared, wanted = bool(data.is_shared_device), page_to_open(data.next)
    if is_right and credentials and await desk.sign_in(request, credentials, is_shared=is_shared):
        desk.guesses.was_none(attempt)
        return see_other(wanted)
    desk.guesses.was_wrong(attempt, visit.clock.seconds())
    if not wants_page(request):
        raise InvalidError(_WRONG)
    return page(
        request,
        "people/sign_in.html",
        status=422,
        name=data.name,
        next=wanted,
        is_shared=is_shared,
        error=translate(visit, _WRONG, {}),
    )


@post("/sign-out", opt=route(SIGNED_IN, Priority.P1))
async def sign_out(request: Asked, tx: Transaction, viewer: Viewer, desk: Desk) -> Response[Any]:
    """End the session of this browser and what the browser kept of it."""
    await desk.sessions.end(tx, viewer.school_id, viewer.session_id)
    return signed_out(request, desk)


HANDLERS = [show_sign_in, sign_in, sign_out]
