"""The schools of the installation: for its operator, and for who typed an address without one."""

from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException

from firstbell.domains.people import queries
from firstbell.domains.people.access import Entrance, NoSchoolError, Schools
from firstbell.domains.people.model import (
    Role,
    SchoolLine,
    only,
)
from firstbell.domains.people.pages.desk import Asked, role_words
from firstbell.kernel.db import Transaction
from firstbell.kernel.html import page
from firstbell.kernel.problems import answer_error, wants_page
from firstbell.kernel.routes import Priority, route
from firstbell.kernel.visit import visit_of


@get("/operator", opt=route(only(Role.OPERATOR), Priority.P4))
async def show_operator(request: Asked, tx: Transaction, schools: Schools) -> Response[Any]:
    """The schools of the installation, where they are and how many people they have."""
    counts = await queries.count_people(tx)
    lines = [SchoolLine(school, hosts, counts.get(school.id, {})) for school, hosts in schools.all]
    return page(request, "people/operator.html", lines=lines, role_words=role_words(visit_of(request.scope)))


def answer_nowhere(request: Asked, error: NotFoundException) -> Response[Any]:
    """For an address that no route has: in the language of whoever asks."""
    entrance: Entrance = request.app.state.entrance
    try:
        entrance.name(visit_of(request.scope))
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


HANDLERS = [show_operator]
