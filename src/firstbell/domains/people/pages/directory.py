"""The classes and people of a school, and the keys that are given to them."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from firstbell.domains.people import queries
from firstbell.domains.people.access import access_class, access_person
from firstbell.domains.people.model import (
    CARING,
    PersonPage,
    Role,
    Viewer,
    beginning_of,
    by_class_name,
    only,
)
from firstbell.domains.people.pages.desk import SECRETS_BYTES_MAX, Asked, Desk, role_words
from firstbell.kernel.db import Transaction
from firstbell.kernel.html import page
from firstbell.kernel.http import see_other
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import Visit, visit_of

MEMBERS_SHOWN_MAX = 300
RELATIVES_SHOWN_MAX = 40
PEOPLE_PER_PAGE = 50
PEOPLE_PAGES_MAX = 40
"""Whoever still looks on page 40 types one letter more."""

STAFF_ONLY = only(Role.TEACHER, Role.HEAD, Role.SECRETARIAT, Role.ICT)
CLASS_PEOPLE = only(Role.PUPIL, Role.TEACHER, Role.HEAD, Role.SECRETARIAT, Role.ICT)
CARING_ONLY = only(*CARING)
KEYS_ONLY = only(Role.SECRETARIAT, Role.ICT)


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
        role_words=role_words(visit_of(request.scope)),
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
        role_words=role_words(visit_of(request.scope)),
        may_give_keys=person.takes_password_from(viewer),
        is_signed_out=request.query_params.get("changed") == "sign-out",
    )


@post(
    "/people/{person_id:uuid}/password",
    opt=route(KEYS_ONLY, Priority.P2, body_bytes_max=SECRETS_BYTES_MAX, hashes=True),
)
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
    show_classes,
    show_class,
    show_people,
    show_person,
    give_password,
    give_activation_code,
    sign_person_out,
]
