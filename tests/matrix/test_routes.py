"""Every route as every role of another school, and as those of the own school whom a thing is not for.

What a stranger gets for a thing that exists is what everybody gets for one that does not, to the letter. A new route is
tried by itself; it only says how its address and its form are filled, when nothing here fits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Litestar

from firstbell.app import create_app
from firstbell.domains.people.model import Access
from firstbell.kernel.routes import Priority
from firstbell.settings import Settings
from tests.conftest import Browsers, Town

MAIN, OTHER = "sint-jozef", "de-wegwijzer"
WRITING = {"POST", "PUT", "PATCH", "DELETE"}
WITHOUT_FORM = (
    "deletion",
    "restoration",
    "removal",
    "cancellation",
    "sign-out",
    "password",
    "activation-code",
)
"""Where nothing is filled in but what is done."""
DAY = {"day": "2026-11-19"}
"""What an address can name that belongs to no school."""


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    path: str
    parameters: tuple[str, ...]
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def address(self, thing: dict[str, str]) -> str:
        """The address that names `thing`."""
        return re.sub(r"\{(\w+):\w+\}", lambda part: thing[part[1]], self.path)


def routes() -> Iterator[Route]:
    """Every route of the application, but the answers to OPTIONS that Litestar adds."""
    served: Any = create_app(Settings(secret_keys=f"t:{'ab' * 32}", data_dir=Path(mkdtemp())))
    while not isinstance(served, Litestar):
        served = served._app
    for route in served.routes:
        handlers: list[Any] = getattr(route, "route_handlers", None) or [getattr(route, "route_handler", None)]
        for handler in handlers:
            methods = set(getattr(handler, "http_methods", {"GET"})) - {"OPTIONS", "HEAD"}
            for method in sorted(methods):
                yield Route(str(method), route.path, tuple(route.path_parameters), dict(handler.opt))


ROUTES = sorted(routes(), key=str)
WITH_THINGS = [route for route in ROUTES if set(route.parameters) - DAY.keys()]
WITHOUT_THINGS = [route for route in ROUTES if not set(route.parameters) - DAY.keys()]


def form_of(route: Route, thing: dict[str, str]) -> dict[str, Any]:
    """What a browser would send: `data` for a form, `files` for an upload."""
    forms: dict[str, dict[str, Any]] = {
        "details": {"data": {"name": "Gestolen", "folder": thing["folder_id"]}},
        "folders": {"data": {"id": str(uuid4()), "name": "Binnengedrongen", "parent": thing["folder_id"]}},
        "documents": {"files": {"files": ("gluren.txt", b"Ik was hier.", "text/plain")}},
        "material": {"data": {"document": thing["document_id"]}},
        "notes": {"data": {"public_note": "Neem je atlas mee.", "private_note": "Neem je atlas mee."}},
        **{without: {"data": {}} for without in WITHOUT_FORM},
    }
    return forms[route.path.rpartition("/")[2]]


def named(route: Route) -> str:
    return str(route)


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_every_route_says_who_may_call_it_and_how_urgent_it_is(route: Route) -> None:
    assert isinstance(route.options.get("access"), Access), "give the handler opt=route(ACCESS, Priority.P...)"
    assert isinstance(route.options.get("priority"), Priority)


@pytest.mark.parametrize("route", WITH_THINGS, ids=named)
@pytest.mark.parametrize("role", ["pupil", "teacher", "parent", "head", "secretariat", "ict"])
def test_nobody_of_another_school_learns_that_a_thing_exists(
    town: Town, browsers: Browsers, route: Route, role: str
) -> None:
    stranger = browsers.of(OTHER, town.somebody(OTHER, role))
    assert_tells_nothing(stranger, route, town.thing(MAIN))


@pytest.mark.parametrize("route", [route for route in WITH_THINGS if "course_id" in route.parameters], ids=named)
@pytest.mark.parametrize("name", ["noor.vermeulen", "sofie.vermeulen"])
def test_nobody_of_the_same_school_learns_that_a_thing_of_another_class_exists(
    town: Town, browsers: Browsers, route: Route, name: str
) -> None:
    assert_tells_nothing(browsers.of(MAIN, name), route, town.thing(MAIN, not_of="3B"))


@pytest.mark.parametrize(
    "route", [route for route in WITH_THINGS if route.method in WRITING and "course_id" in route.parameters], ids=named
)
def test_a_pupil_changes_nothing_in_a_course(town: Town, browsers: Browsers, route: Route) -> None:
    before = town.rows(MAIN)
    thing = town.thing(MAIN, of="3B")
    answer = browsers.of(MAIN, "noor.vermeulen").request(route.method, route.address(thing), **form_of(route, thing))
    assert answer.status_code in (403, 404)
    assert town.rows(MAIN) == before


@pytest.mark.parametrize("route", WITH_THINGS, ids=named)
def test_somebody_who_is_not_signed_in_sees_no_thing(town: Town, browsers: Browsers, route: Route) -> None:
    thing = town.thing(MAIN)
    body = form_of(route, thing) if route.method in WRITING else {}
    answer = browsers.fresh(MAIN).request(route.method, route.address(thing), **body)
    assert answer.status_code in (303, 401, 404)


@pytest.mark.parametrize("route", [route for route in WITHOUT_THINGS if route.method == "GET"], ids=named)
@pytest.mark.parametrize("role", ["pupil", "teacher", "parent", "head", "secretariat", "ict"])
def test_no_page_shows_anything_of_another_school(town: Town, browsers: Browsers, route: Route, role: str) -> None:
    answer = browsers.of(OTHER, town.somebody(OTHER, role)).get(route.address(DAY))
    assert answer.status_code in (200, 303, 404)
    assert not [word for word in town.marks(MAIN) if word in answer.text]


@pytest.mark.parametrize("route", WITHOUT_THINGS, ids=named)
def test_a_cookie_of_one_school_signs_nobody_in_at_another(town: Town, browsers: Browsers, route: Route) -> None:
    if route.options["access"].is_public:
        return
    elsewhere = browsers.fresh(OTHER)
    elsewhere.cookies.update(browsers.of(MAIN, "hilde.maes").cookies)
    answer = elsewhere.request(route.method, route.address(DAY))
    assert answer.status_code in (303, 401)
    assert answer.headers.get("location", "/sign-in").startswith("/sign-in")


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method in WRITING], ids=named)
def test_no_other_site_makes_a_browser_write(town: Town, browsers: Browsers, route: Route) -> None:
    browser = browsers.of(MAIN, "noor.vermeulen")
    address = route.address(town.thing(MAIN, of="3B"))
    before = town.rows(MAIN)
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elders.test"},
    ):
        answer = browser.request(route.method, address, headers={**headers, "accept": "application/json"})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:firstbell:problem:cross-site")
    assert town.rows(MAIN) == before


def test_a_page_of_ours_writes_and_a_person_reads_what_another_site_may_not(browsers: Browsers) -> None:
    browser = browsers.fresh(MAIN)
    form = {"name": "noor.vermeulen", "password": "verkeerd"}
    own = f"http://{browser.headers['host']}"
    statuses = [
        browser.post("/sign-in", data=form, headers=headers).status_code
        for headers in ({"origin": own}, {"sec-fetch-site": "same-origin"}, {})
    ]
    assert statuses == [422] * 3
    refused = browser.post("/sign-in", data=form, headers={"origin": "https://elders.test", "accept-language": "fr"})
    assert refused.status_code == 403
    assert "<h1>Ceci vient d’un autre site.</h1>" in refused.text


@pytest.mark.parametrize("address", ["/", "/sign-in", "/nowhere", "/timetable", "/session/refresh"])
def test_every_answer_tells_browsers_what_to_forbid(browsers: Browsers, address: str) -> None:
    headers = browsers.of(MAIN, "noor.vermeulen").get(address).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy and "style-src 'self';" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "private, no-store"


def assert_tells_nothing(client: httpx.Client, route: Route, thing: dict[str, str]) -> None:
    """What exists is answered as what does not: same status, same words."""
    nothing = {name: (str(uuid4()) if _is_id(value) else "0" * len(value)) for name, value in thing.items()}
    answers = []
    for named_thing in (thing, nothing):
        body = form_of(route, named_thing) if route.method in WRITING else {}
        answer = client.request(route.method, route.address(named_thing), **body)
        text = answer.text.replace(answer.headers["x-request-id"], "")
        answers.append((answer.status_code, *(text := text.replace(value, "") for value in named_thing.values())))
    assert answers[0][0] in (401, 403, 404), f"{route} answered {answers[0][0]}"
    assert answers[0][0] == answers[1][0]
    assert answers[0][-1] == answers[1][-1]


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
