"""Most handlers are called in a short way of ours, the others in Litestar's: nobody can tell which it was."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.conftest import Browsers, Town

CONTENT = "/courses/{course_id}/documents/{document_id}/content"


def spelt(path: str, thing: dict[str, str]) -> list[str]:
    """The address of a thing as we write it, which goes the short way, and as only Litestar reads it."""
    plain = path.format(**thing)
    capitals = path.format(**{name: value.upper() for name, value in thing.items()})
    return [plain, f"{plain}/", plain.replace("/documents", "//documents"), capitals]


def heart(answer: httpx.Response) -> tuple[int, str, str, str]:
    """What an answer says, without what differs from request to request."""
    text = re.sub("[0-9a-f]{32}", "ID", answer.text)
    return answer.status_code, answer.headers.get("location", ""), answer.headers["content-type"], text


def test_an_address_leads_to_the_same_answer_however_it_is_spelt(town: Town, browsers: Browsers) -> None:
    browser = browsers.of("sint-jozef", "noor.vermeulen")
    answers = {heart(browser.get(address)) for address in spelt(CONTENT, town.thing("sint-jozef", of="3B"))}
    [(status, *_)] = answers
    assert status == 200


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_is_not_there_is_told_in_the_same_words_however_it_is_spelt(
    town: Town, browsers: Browsers, accept: str
) -> None:
    nothing = {**town.thing("sint-jozef", of="3B"), "document_id": str(uuid4())}
    browser = browsers.of("sint-jozef", "noor.vermeulen")
    answers = {heart(browser.get(address, headers={"accept": accept})) for address in spelt(CONTENT, nothing)}
    [(status, _, kind, _)] = answers
    assert status == 404
    assert kind.startswith({"text/html": "text/html", "application/json": "application/problem+json"}[accept])


def test_a_host_that_is_none_is_refused(town: Town, browsers: Browsers) -> None:
    path = CONTENT.format(**town.thing("sint-jozef", of="3B"))
    browser = browsers.of("sint-jozef", "noor.vermeulen")
    assert browser.get(path, headers={"host": "sint-jozef.localhost/?"}).status_code == 422
