"""Signing in and out, one's own account, the people of the school, the schools of the installation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body

from firstbell.domains.people import queries
from firstbell.domains.people.access import (
    CookieJar,
    Entrance,
    NoSchoolError,
    Schools,
    access_class,
    access_person,
    read_family,
)
from firstbell.domains.people.actions import Accounts, Sessions, SignIn
from firstbell.domains.people.model import (
    CARING,
    PUBLIC,
    ROLE_NAMES,
    SIGNED_IN,
    Credentials,
    PersonPage,
    Role,
    SchoolLine,
    Session,
    Viewer,
    beginning_of,
    browser_name,
    by_class_name,
    only,
    page_to_open,
    sign_in_key,
)
from firstbell.kernel.clock import Ids
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import InvalidError
from firstbell.kernel.html import page
from firstbell.kernel.http import Visit, see_other, visit_of
from firstbell.kernel.i18n import LOCALES, mark
from firstbell.kernel.passwords import PasswordLane
from firstbell.kernel.problems import answer_error, translate, wants_page
from firstbell.kernel.routes import Priority, route
from firstbell.settings import Settings

_WRONG = mark("This name and password do not go together. Look at both and try again.")
_WRONG_OLD = mark("This is not your password of now.")
_TOO_SHORT = mark("Take at least %(letters)s letters.")
_CHANGED = {
    "password": mark("Your password is changed. Your other devices are signed out."),
    "language": mark("Your language is changed."),
    "link": mark("The code worked. You see the new school below."),
    "sign-out": mark("That device is signed out."),
}

SESSIONS_SHOWN_MAX = 50
MEMBERS_SHOWN_MAX = 300
RELATIVES_SHOWN_MAX = 40
PEOPLE_PER_PAGE = 50
PEOPLE_PAGES_MAX = 40
"""Whoever still looks on page 40 types one letter more."""

Asked = Request[Any, Any, Any]
_FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
Word = Annotated[str, msgspec.Meta(max_length=200)]
Secret = Annotated[str, msgspec.Meta(max_length=1_000)]

STAFF_ONLY = only(Role.TEACHER, Role.HEAD, Role.SECRETARIAT, Role.ICT)
CLASS_PEOPLE = only(Role.PUPIL, Role.TEACHER, Role.HEAD, Role.SECRETARIAT, Role.ICT)
CARING_ONLY = only(*CARING)
KEYS_ONLY = only(Role.SECRETARIAT, Role.ICT)


@dataclass(frozen=True, slots=True)
class Desk:
    """What signing in and changing a password need beside a transaction."""

    jar: CookieJar
    sessions: Sessions
    accounts: Accounts
    passwords: PasswordLane
    ids: Ids
    settings: Settings

    async def sign_in(self, request: Asked, credentials: Credentials, *, is_shared: bool) -> Session | None:
        """Start a session on the device that asks; None when the password is another by now."""
        visit = visit_of(request.scope)
        known = None if is_shared else self.jar.device_id(request, visit.clock.seconds())
        device_id = known or self.ids.new()
        browser = browser_name(request.headers.get("user-agent", ""))
        wanted = SignIn(visit.school.id, device_id, browser, is_shared)
        session = await self.sessions.start(visit.transaction, wanted, credentials)
        if session is not None:
            self.jar.keep(visit, session)
            if not is_shared:
                self.jar.keep_device(visit, device_id)
        return session


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
    if visit_of(request.scope).viewer is not None or desk.jar.refresh_token(request) is not None:
        return see_other(wanted)
    return page(request, "people/sign_in.html", name="", next=wanted, is_shared=False, error=None)


@post("/sign-in", opt=route(PUBLIC, Priority.P1, hashes=True))
async def sign_in(request: Asked, data: Annotated[SignInForm, _FORM], tx: Transaction, desk: Desk) -> Response[Any]:
    """Start a session for whoever gives the right password."""
    visit = visit_of(request.scope)
    credentials = await queries.find_credentials(tx, visit.school.id, sign_in_key(data.name))
    await tx.let_go()
    is_right = await desk.passwords.verify(data.password, credentials.password_hash if credentials else None)
    is_shared, wanted = bool(data.is_shared_device), page_to_open(data.next)
    if is_right and credentials and await desk.sign_in(request, credentials, is_shared=is_shared):
        return see_other(wanted)
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
    return _signed_out(request, desk)


@post("/account/sign-out", opt=route(SIGNED_IN, Priority.P1))
async def sign_out_everywhere(request: Asked, tx: Transaction, viewer: Viewer, desk: Desk) -> Response[Any]:
    """End every session of the account, in all its schools."""
    await desk.sessions.end_all(tx, viewer)
    return _signed_out(request, desk)


@post("/account/sessions/{school_id:uuid}/{session_id:uuid}/sign-out", opt=route(SIGNED_IN, Priority.P2))
async def sign_out_one(
    request: Asked, tx: Transaction, *, viewer: Viewer, desk: Desk, school_id: UUID, session_id: UUID
) -> Response[Any]:
    """End one session of the account: a device that was lost or lent."""
    await desk.sessions.end_own(tx, viewer, school_id, session_id)
    return _signed_out(request, desk) if session_id == viewer.session_id else see_other("/account?changed=sign-out")


@get("/account", opt=route(SIGNED_IN, Priority.P2))
async def show_account(request: Asked, tx: Transaction, viewer: Viewer) -> Response[Any]:
    """Who you are here, your language, your password, your children, where you are signed in."""
    return await _account_page(request, tx, viewer)


class LanguageForm(msgspec.Struct, frozen=True):
    """The language that somebody chose; empty follows the school."""

    locale: Word = ""


@post("/account/language", opt=route(SIGNED_IN, Priority.P2))
async def change_language(
    request: Asked, data: Annotated[LanguageForm, _FORM], tx: Transaction, viewer: Viewer, desk: Desk
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


@post("/account/password", opt=route(SIGNED_IN, Priority.P2))
async def change_password(
    request: Asked, data: Annotated[PasswordForm, _FORM], tx: Transaction, viewer: Viewer, desk: Desk
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
    request: Asked, data: Annotated[CodeForm, _FORM], tx: Transaction, viewer: Viewer, desk: Desk
) -> Response[Any]:
    """Link a child, or oneself in another school."""
    await desk.accounts.link(tx, viewer, data.code)
    desk.jar.keep_viewer(visit_of(request.scope), await desk.sessions.renew(tx, viewer))
    return see_other("/account?changed=link")


@get("/classes", opt=route(STAFF_ONLY, Priority.P2))
async def show_classes(request: Asked, tx: Transaction, viewer: Viewer) -> Response[Any]:
    """The classes of the school."""
    classes = sorted(await queries.list_classes(tx, viewer.school_id), key=lambda each: by_class_name(each.name))
    return page(request, "people/classes.html", classes=classes)


@get("/classes/{class_id:uuid}", opt=route(CLASS_PEOPLE, Priority.P2))
async def show_class(request: Asked, tx: Transaction, viewer: Viewer, class_id: UUID) -> Response[Any]:
    """Who is in a class."""
    shown = await access_class(tx, viewer, class_id)
    members = await queries.list_members(tx, viewer.school_id, class_id, most=MEMBERS_SHOWN_MAX)
    return page(
        request,
        "people/class.html",
        shown=shown,
        teachers=[member for member in members if Role.TEACHER in member.roles],
        pupils=[member for member in members if Role.PUPIL in member.roles],
        opens_people=viewer.is_any(CARING),
    )


@get("/people", opt=route(CARING_ONLY, Priority.P4))
async def show_people(request: Asked, tx: Transaction, viewer: Viewer) -> Response[Any]:
    """Everybody of the school whose name begins so, a page at a time."""
    name = request.query_params.get("name", "")[:100]
    number = request.query_params.get("page", "1")
    current = min(max(int(number), 1), PEOPLE_PAGES_MAX) if number.isdecimal() and len(number) < 4 else 1  # noqa: PLR2004
    people = await queries.list_people(
        tx,
        viewer.school_id,
        beginning_of(name),
        skipped=(current - 1) * PEOPLE_PER_PAGE,
        most=PEOPLE_PER_PAGE + 1,
    )
    has_next = len(people) > PEOPLE_PER_PAGE and current < PEOPLE_PAGES_MAX
    return page(
        request,
        "people/people.html",
        name=name,
        people=people[:PEOPLE_PER_PAGE],
        role_words=_role_words(visit_of(request.scope)),
        previous=current - 1 if current > 1 else None,
        next=current + 1 if has_next else None,
    )


@get("/people/{person_id:uuid}", opt=route(CARING_ONLY, Priority.P2))
async def show_person(request: Asked, tx: Transaction, viewer: Viewer, person_id: UUID) -> Response[Any]:
    """Somebody of the school: roles, classes, family, and what can be done for them."""
    person = await access_person(tx, viewer, person_id)
    relatives = await queries.list_relatives(tx, viewer.school_id, person_id, most=RELATIVES_SHOWN_MAX)
    return page(
        request,
        "people/person.html",
        person=person,
        relatives=relatives,
        role_words=_role_words(visit_of(request.scope)),
        may_give_keys=person.takes_password_from(viewer),
        is_signed_out=request.query_params.get("changed") == "sign-out",
    )


@post("/people/{person_id:uuid}/password", opt=route(KEYS_ONLY, Priority.P2))
async def give_password(request: Asked, tx: Transaction, viewer: Viewer, desk: Desk, person_id: UUID) -> Response[Any]:
    """A new password for somebody, shown this once on a slip to print."""
    await access_person(tx, viewer, person_id)
    await tx.let_go()
    password = desk.accounts.new_password()
    hashed = await desk.passwords.hash(password)
    person = await access_person(tx, viewer, person_id)
    await desk.accounts.give_password(tx, viewer, person, hashed)
    return _slip(request, person, password=password)


@post("/people/{person_id:uuid}/activation-code", opt=route(KEYS_ONLY, Priority.P2))
async def give_activation_code(
    request: Asked, tx: Transaction, viewer: Viewer, desk: Desk, person_id: UUID
) -> Response[Any]:
    """A new activation code for somebody, shown this once on a slip to print."""
    person = await access_person(tx, viewer, person_id)
    return _slip(request, person, code=await desk.accounts.give_activation_code(tx, viewer, person))


@post("/people/{person_id:uuid}/sign-out", opt=route(KEYS_ONLY, Priority.P2))
async def sign_person_out(tx: Transaction, viewer: Viewer, desk: Desk, person_id: UUID) -> Response[Any]:
    """Sign somebody out on every device: a phone was lost."""
    person = await access_person(tx, viewer, person_id)
    await desk.accounts.sign_out(tx, viewer, person)
    return see_other(f"/people/{person_id}?changed=sign-out")


@get("/operator", opt=route(only(Role.OPERATOR), Priority.P4))
async def show_operator(request: Asked, tx: Transaction, schools: Schools) -> Response[Any]:
    """The schools of the installation, where they are and how many people they have."""
    counts = await queries.count_people(tx)
    lines = [SchoolLine(school, hosts, counts.get(school.id, {})) for school, hosts in schools.all]
    return page(request, "people/operator.html", lines=lines, role_words=_role_words(visit_of(request.scope)))


def answer_nowhere(request: Asked, error: NotFoundException) -> Response[Any]:
    """For an address that no route has: in the language of whoever asks."""
    entrance: Entrance = request.app.state.entrance
    try:
        entrance.name(request)
    except NoSchoolError as no_school:
        return answer_no_school(request, no_school)
    return answer_error(request, error)


def answer_no_school(request: Asked, error: NoSchoolError) -> Response[Any]:
    """For people who typed a wrong address: the schools that are here."""
    if not wants_page(request):
        return answer_error(request, error)
    visit = visit_of(request.scope)
    visit.keeps_transaction = False
    schools: Schools = request.app.state.schools
    port = request.headers.get("host", "").partition(":")[2]
    places = [
        (school.name, f"{request.url.scheme}://{hosts[0]}{f':{port}' if port.isdecimal() else ''}/")
        for school, hosts in schools.all
        if hosts
    ]
    return page(request, "people/schools.html", status=404, places=places)


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
        role_words=_role_words(visit),
        sessions=sessions,
        children=children,
        zone=visit.school.zone,
        changed=changed and translate(visit, changed, {}),
        old_error=old_error,
        new_error=new_error,
    )


def _role_words(visit: Visit) -> Callable[[Iterable[Role]], str]:
    """What people call roles, in the language of the visit, for a template."""
    return lambda roles: ", ".join(translate(visit, ROLE_NAMES[role], {}) for role in roles)


def _signed_out(request: Asked, desk: Desk) -> Response[Any]:
    desk.jar.drop(visit_of(request.scope))
    return see_other("/sign-in", {"Clear-Site-Data": '"cache", "storage"'})


def _slip(request: Asked, person: PersonPage, *, password: str = "", code: str = "") -> Response[Any]:
    visit: Visit = visit_of(request.scope)
    address = f"{request.url.scheme}://{request.headers.get('host', '')}/"
    return page(
        request,
        "people/slip.html",
        person=person,
        password=password,
        code=code,
        address=address,
        account_address=f"{address}account",
        printed_at=visit.started_at.astimezone(visit.school.zone),
    )


HANDLERS = [
    show_sign_in,
    sign_in,
    sign_out,
    sign_out_everywhere,
    sign_out_one,
    show_account,
    change_language,
    change_password,
    link_by_code,
    show_classes,
    show_class,
    show_people,
    show_person,
    give_password,
    give_activation_code,
    sign_person_out,
    show_operator,
]
