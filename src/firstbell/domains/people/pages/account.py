"""One's own account: language, password, children, where it is signed in."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from firstbell.domains.people import queries
from firstbell.domains.people.access import read_family
from firstbell.domains.people.model import (
    SIGNED_IN,
    Child,
    Credentials,
    Viewer,
)
from firstbell.domains.people.pages.desk import (
    FORM,
    SECRETS_BYTES_MAX,
    Asked,
    Desk,
    Secret,
    Word,
    role_words,
    signed_out,
)
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import NotFoundError
from firstbell.kernel.html import page
from firstbell.kernel.http import see_other
from firstbell.kernel.i18n import LOCALES, mark
from firstbell.kernel.problems import translate
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of

_WRONG_OLD = mark("This is not your password of now.")
_TOO_SHORT = mark("Take at least %(letters)s letters.")
_CHANGED = {
    "password": mark("Your password is changed. Your other devices are signed out."),
    "language": mark("Your language is changed."),
    "link": mark("The code worked. What it added stands below."),
    "removal": mark("The child no longer stands on your account."),
    "sign-out": mark("That device is signed out."),
}

SESSIONS_SHOWN_MAX = 50


@get("/account", opt=route(SIGNED_IN, Priority.P2))
async def show_account(request: Asked, tx: Transaction, viewer: Viewer) -> Response[Any]:
    """Who you are here, your language, your password, your children, where you are signed in."""
    return await _account_page(request, tx, viewer)


class LanguageForm(msgspec.Struct, frozen=True):
    """The language that somebody chose; empty follows the school."""

    locale: Word = ""


@post("/account/language", opt=route(SIGNED_IN, Priority.P2))
async def change_language(
    request: Asked, data: Annotated[LanguageForm, FORM], tx: Transaction, viewer: Viewer, desk: Desk
) -> Response[Any]:
    """Speak another language from now on."""
    locale = data.locale if data.locale in LOCALES else None
    await queries.change_locale(tx, viewer.account_id, locale)
    desk.jar.keep_viewer(visit_of(request.scope), msgspec.structs.replace(viewer, locale=locale))
    return see_other("/account?changed=language")


class PasswordForm(msgspec.Struct, frozen=True):
    """The old password and the new one."""

    old: Secret
    new: Secret


@post("/account/password", opt=route(SIGNED_IN, Priority.P2, body_bytes_max=SECRETS_BYTES_MAX, hashes=True))
async def change_password(
    request: Asked, data: Annotated[PasswordForm, FORM], tx: Transaction, viewer: Viewer, desk: Desk
) -> Response[Any]:
    """Take another password; every other session of the account ends."""
    least = desk.settings.password_letters_min
    if len(data.new) < least:
        error = translate(visit_of(request.scope), _TOO_SHORT, {"letters": least})
        return await _account_page(request, tx, viewer, new_error=error)
    hashed = await queries.find_password_hash(tx, viewer.account_id)
    await tx.let_go()
    if not await desk.passwords.verify(data.old, hashed):
        return await _account_page(request, tx, viewer, old_error=translate(visit_of(request.scope), _WRONG_OLD, {}))
    new_hash = await desk.passwords.hash(data.new)
    await desk.accounts.set_password(tx, viewer.school_id, viewer.account_id, new_hash)
    credentials = Credentials(viewer.person_id, viewer.account_id, new_hash)
    await desk.sign_in(request, credentials, is_shared=viewer.is_shared_device)
    return see_other("/account?changed=password")


class CodeForm(msgspec.Struct, frozen=True):
    """An activation code as it stands on paper."""

    code: Word


@post("/account/links", opt=route(SIGNED_IN, Priority.P2))
async def link_by_code(
    request: Asked, data: Annotated[CodeForm, FORM], tx: Transaction, viewer: Viewer, desk: Desk
) -> Response[Any]:
    """Link a child, or oneself in another school."""
    await desk.accounts.link(tx, viewer, data.code)
    desk.jar.keep_viewer(visit_of(request.scope), await desk.sessions.renew(tx, viewer))
    return see_other("/account?changed=link")


@get("/account/children/{person_id:uuid}/removal", opt=route(SIGNED_IN, Priority.P2))
async def ask_removal(request: Asked, tx: Transaction, viewer: Viewer, person_id: UUID) -> Response[Any]:
    """Ask whether a child shall really go from the account: only a new code brings it back."""
    return page(request, "people/removal.html", child=await _linked_child(request, tx, viewer, person_id))


@post("/account/children/{person_id:uuid}/removal", opt=route(SIGNED_IN, Priority.P2))
async def remove_child(
    request: Asked, *, tx: Transaction, viewer: Viewer, desk: Desk, person_id: UUID
) -> Response[Any]:
    """Take a child that a code linked off the account."""
    await desk.accounts.unlink_child(tx, viewer, await _linked_child(request, tx, viewer, person_id))
    desk.jar.keep_viewer(visit_of(request.scope), await desk.sessions.renew(tx, viewer))
    return see_other("/account?changed=removal")


async def _linked_child(request: Asked, tx: Transaction, viewer: Viewer, person_id: UUID) -> Child:
    """A child that the viewer linked.

    Raises:
        NotFoundError: there is no such child.
    """
    await read_family(visit_of(request.scope))
    for child in await queries.list_children(tx, viewer):
        if child.person_id == person_id and child.is_linked:
            return child
    raise NotFoundError


@post("/account/sign-out", opt=route(SIGNED_IN, Priority.P1))
async def sign_out_everywhere(request: Asked, tx: Transaction, viewer: Viewer, desk: Desk) -> Response[Any]:
    """End every session of the account, in all its schools."""
    await desk.sessions.end_all(tx, viewer)
    return signed_out(request, desk)


@post("/account/sessions/{school_id:uuid}/{session_id:uuid}/sign-out", opt=route(SIGNED_IN, Priority.P2))
async def sign_out_one(
    request: Asked, tx: Transaction, *, viewer: Viewer, desk: Desk, school_id: UUID, session_id: UUID
) -> Response[Any]:
    """End one session of the account: a device that was lost or lent."""
    await desk.sessions.end_own(tx, viewer, school_id, session_id)
    return signed_out(request, desk) if session_id == viewer.session_id else see_other("/account?changed=sign-out")


async def _account_page(
    request: Asked,
    tx: Transaction,
    viewer: Viewer,
    *,
    old_error: str | None = None,
    new_error: str | None = None,
) -> Response[Any]:
    visit = visit_of(request.scope)
    await read_family(visit)
    sessions = await queries.list_sessions(tx, viewer.account_id, now=visit.clock.now(), most=SESSIONS_SHOWN_MAX)
    children = await queries.list_children(tx, viewer)
    changed = _CHANGED.get(request.query_params.get("changed", ""))
    return page(
        request,
        "people/account.html",
        status=422 if old_error or new_error else 200,
        role_words=role_words(visit),
        sessions=sessions,
        children=children,
        zone=visit.school.zone,
        changed=changed and translate(visit, changed, {}),
        old_error=old_error,
        new_error=new_error,
    )


HANDLERS = [
    show_account,
    change_language,
    change_password,
    link_by_code,
    ask_removal,
    remove_child,
    sign_out_everywhere,
    sign_out_one,
]
