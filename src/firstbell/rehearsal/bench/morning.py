"""The steps of a morning as a browser takes them: each finds its way by the links of the page before."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from firstbell.rehearsal.bench.connection import Answer, AnswerError, Connection, browser_request
from firstbell.rehearsal.bench.steps import Play, Step

PASSWORD_ROUNDS = 60
"""A hash costs as much as a hundred pages; so many are enough to know what one costs."""

_COURSE = re.compile(r'href="(/courses/[0-9a-f-]{36})["/]')
_FOLDER = re.compile(r'href="(/courses/[0-9a-f-]{36}/folders/[0-9a-f-]{36})"')
_WORKSHEET = re.compile(r'href="(/courses/[0-9a-f-]{36}/documents/[0-9a-f-]{36})"')
_OF_THE_DEVICE = frozenset({"device", "inside"})
_OK, _NO_CONTENT, _SEE_OTHER = 200, 204, 303
_REDIRECTS_MAX = 3


@dataclass(slots=True)
class Participant:
    """Somebody who takes part, and what the browser keeps."""

    host: str
    sign_in_name: str
    cookies: dict[str, str]
    course: str = ""
    document: str = ""

    def request(self, method: str, path: str, form: str = "", *, signed_in: bool = True) -> bytes:
        """The bytes that a browser sends; one that is not signed in is still known here."""
        cookies = {name: value for name, value in self.cookies.items() if signed_in or name in _OF_THE_DEVICE}
        return browser_request(method, self.host, path, cookies, body=form.encode())

    async def ask(self, connection: Connection, path: str) -> Answer:
        """Open a page.

        Raises:
            AnswerError: it does not open.
        """
        return self.keep(await connection.ask(self.request("GET", path)), path, _OK)

    def keep(self, answer: Answer, path: str, status: int) -> Answer:
        """Keep the cookies that came with `answer`.

        Raises:
            AnswerError: its status is not `status`.
        """
        if answer.status != status:
            raise AnswerError(f"{path} for {self.sign_in_name} at {self.host}: {answer.status}, not {status}")
        self.cookies.update(answer.cookies())
        return answer


@dataclass(frozen=True, slots=True)
class Morning:
    """Who takes part, pupils and teachers of many classes in turn; all signed in, all with the same password."""

    pupils: Sequence[Participant]
    teachers: Sequence[Participant]
    password: str

    def steps(self, rounds: int) -> list[Step]:
        """The steps in the order of a morning; passwords less often, since each costs a hash."""
        pupils, teachers = self.pupils, self.teachers
        return [
            Step("session_refresh", in_turn(pupils, refresh_session), rounds),
            Step("today_pupil", in_turn(pupils, open_today), rounds),
            Step("today_teacher", in_turn(teachers, open_today), rounds),
            Step("course", in_turn(pupils, open_course), rounds),
            Step("document_open", in_turn(pupils, open_document), rounds),
            Step("timetable_week", in_turn(pupils, open_week), rounds),
            Step("sign_in_page", in_turn(pupils, open_sign_in), rounds),
            Step("sign_in_password", in_turn(pupils, self._sign_in), min(rounds, PASSWORD_ROUNDS), at_once=1),
        ]

    async def _sign_in(self, connection: Connection, participant: Participant) -> int:
        form = f"name={quote(participant.sign_in_name)}&password={quote(self.password)}&next=/"
        request = participant.request("POST", "/sign-in", form, signed_in=False)
        return participant.keep(await connection.ask(request), "/sign-in", _SEE_OTHER).size


def in_turn(participants: Sequence[Participant], play: Callable[[Connection, Participant], Awaitable[int]]) -> Play:
    """`play` by the next participant each time, from the first again after the last."""

    async def play_turn(connection: Connection, turn: int) -> int:
        return await play(connection, participants[turn % len(participants)])

    return play_turn


async def refresh_session(connection: Connection, participant: Participant) -> int:
    """Show the refresh token and get the next."""
    answer = await connection.ask(participant.request("POST", "/session/refresh"))
    return participant.keep(answer, "/session/refresh", _NO_CONTENT).size


async def open_today(connection: Connection, participant: Participant) -> int:
    """Open the page that everybody opens first. What it links to is what they open next."""
    answer = await participant.ask(connection, "/")
    if not participant.document:
        participant.document = _first_link(_WORKSHEET, answer)
        participant.course = _first_link(_COURSE, answer)
    return answer.size


async def open_course(connection: Connection, participant: Participant) -> int:
    """Open a course of today."""
    if not participant.course:
        participant.course = _first_link(_COURSE, await participant.ask(connection, "/courses"))
    return (await participant.ask(connection, participant.course)).size


async def open_document(connection: Connection, participant: Participant) -> int:
    """Open a worksheet: the access check and its bytes, by a signed address where the server sends there."""
    if not participant.document:
        participant.document = await _find_document(connection, participant)
    path, size = f"{participant.document}/content", 0
    for _ in range(_REDIRECTS_MAX):
        answer = await connection.ask(participant.request("GET", path))
        size += answer.size
        if answer.status != _SEE_OTHER:
            participant.keep(answer, path, _OK)
            return size
        path = answer.header("location")
    raise AnswerError(f"{participant.document} leads from one address to the next")


async def open_week(connection: Connection, participant: Participant) -> int:
    """Open this week of the timetable."""
    return (await participant.ask(connection, "/timetable")).size


async def open_sign_in(connection: Connection, participant: Participant) -> int:
    """Open the form, as a browser that is not signed in."""
    answer = await connection.ask(participant.request("GET", "/sign-in", signed_in=False))
    return participant.keep(answer, "/sign-in", _OK).size


async def _find_document(connection: Connection, participant: Participant) -> str:
    """For who has a day without worksheets: one in the first folder of the course."""
    course = await participant.ask(connection, participant.course)
    return _first_link(_WORKSHEET, await participant.ask(connection, _first_link(_FOLDER, course)))


def _first_link(pattern: re.Pattern[str], answer: Answer) -> str:
    """The first address like this on the page, or ""."""
    found = pattern.search(answer.text())
    return found[1] if found else ""
