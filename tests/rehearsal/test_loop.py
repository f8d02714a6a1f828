"""What drives a generator: the loop, its lines, people and attackers; on real sockets, against a server of ours."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from threading import Thread

import msgspec
import pytest

from firstbell.rehearsal.bench.connection import Answer, parse_answer
from firstbell.rehearsal.load.attackers import Attack
from firstbell.rehearsal.load.generator import Cast, Performance, arrivals
from firstbell.rehearsal.load.line import Line, open_line
from firstbell.rehearsal.load.loop import AT_ONCE_MAX, Loop
from firstbell.rehearsal.load.orders import AttackOrders, Crowd, Orders, Stretch, Target
from firstbell.rehearsal.load.player import Player
from firstbell.rehearsal.load.tally import Tally

LONG_S = 60.0


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop(time.monotonic(), lambda _at_s, _late_s: None)
    yield made
    made.close()


@contextmanager
def serving(answer: Callable[[bytes], bytes], *, times: int = 1_000) -> Iterator[tuple[str, int]]:
    """A server that gives every request the same answer, and closes a connection after so many `times`."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        Thread(target=_serve, args=(server, answer, times), daemon=True).start()
        yield server.getsockname()
        server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket, answer: Callable[[bytes], bytes], times: int) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            Thread(target=_answer, args=(connection, answer, times), daemon=True).start()


def _answer(connection: socket.socket, answer: Callable[[bytes], bytes], times: int) -> None:
    with connection, suppress(ConnectionError):  # attackers reset
        for _ in range(times):
            request = connection.recv(65_536)
            if not request:
                return
            connection.sendall(answer(request))


def page(_request: bytes) -> bytes:
    """A long page, whatever was asked."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000


def refusal(_request: bytes) -> bytes:
    """No, whatever was asked."""
    return b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno"


def waiting_room(request: bytes) -> bytes:
    """Whoever shows a second ticket is inside; the others get one, and are told to come back in a second."""
    if b"ticket=b" in request:
        return b"HTTP/1.1 200 OK\r\nset-cookie: ticket=; Max-Age=0\r\nset-cookie: inside=b\r\ncontent-length: 0\r\n\r\n"
    body = b'<progress value="3" max="5"></progress>'
    return (
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nSet-Cookie: ticket=%s; Path=/\r\n"
        b"content-length: %d\r\n\r\n%s" % (b"b" if b"ticket=a" in request else b"a", len(body), body)
    )


def play_until(loop: Loop, is_done: Callable[[], bool]) -> None:
    """Play on, for as long as a machine may need that does much else."""
    while not is_done():
        assert loop.now() < LONG_S
        loop.run(loop.now() + 0.001)


def ask(loop: Loop, line: Line) -> Answer | str:
    """What is heard on a line."""
    heard: list[Answer | str] = []
    line.ask(b"GET / HTTP/1.1\r\nhost: wilge.test\r\n\r\n", heard.append)
    play_until(loop, lambda: bool(heard))
    return heard[0]


def test_what_is_due_happens_in_its_order_and_never_too_early(loop: Loop) -> None:
    seen: list[tuple[float, bool]] = []
    for due_s in (0.03, 0.01, 0.02, 0.01):
        loop.at(due_s, lambda due_s: seen.append((due_s, loop.now() >= due_s)))
    loop.at(10 * LONG_S, lambda due_s: seen.append((due_s, False)))
    play_until(loop, lambda: len(seen) == 4)
    assert seen == [(0.01, True), (0.01, True), (0.02, True), (0.03, True)]


def test_however_much_is_due_answers_are_heard_in_between(loop: Loop) -> None:
    acts_before: list[int] = []
    acts = 0

    def act(_due_s: float) -> None:
        nonlocal acts
        acts += 1

    near, far = socket.socketpair()
    far.send(b"an answer")
    loop.watch(near.fileno(), 1, lambda: acts_before.append(acts))
    for _ in range(3 * AT_ONCE_MAX):
        loop.at(0.0, act)
    play_until(loop, lambda: acts == 3 * AT_ONCE_MAX)
    near.close()
    far.close()
    assert {before for before in acts_before if before < 3 * AT_ONCE_MAX} >= {0, AT_ONCE_MAX, 2 * AT_ONCE_MAX}


def test_an_answer_that_comes_in_pieces_is_handed_over_whole_and_the_line_is_kept(loop: Loop) -> None:
    with serving(page) as address:
        line = open_line(loop, "127.3.4.5", address)
        first, second = ask(loop, line), ask(loop, line)
        assert isinstance(first, Answer)
        assert (first.status, len(first.body)) == (200, 300_000)
        assert first == second
        line.forget()


def test_a_line_that_the_server_closed_says_so_to_who_asks_next(loop: Loop) -> None:
    with serving(refusal, times=1) as address:
        line = open_line(loop, "127.3.4.5", address)
        assert ask(loop, line) == parse_answer(refusal(b""))
        assert ask(loop, line) in {"closed", "reset"}
        assert not line.is_open


def test_a_line_to_nobody_is_refused(loop: Loop) -> None:
    with serving(refusal) as address:
        pass
    assert ask(loop, open_line(loop, "127.3.4.5", address)) == "refused"


@pytest.mark.parametrize("is_crowded", [False, True])
def test_people_wait_as_told_with_what_they_are_given_and_with_their_connection_unless_too_many_have_one(
    tmp_path: Path, *, is_crowded: bool
) -> None:
    cast = tmp_path / "cast.jsonl"
    players = [
        Player(
            role="parent", host="wilge.test", sign_in_name=str(number), password="", source=f"127.128.1.{number}",
            cookies={"device": "a"},
        ) for number in range(1, 200)
    ]  # fmt: skip
    cast.write_bytes(b"\n".join(msgspec.json.encode(player) for player in players))
    stretch, whole = Stretch(0.0, 0.5, 100.0), Tally()
    people = len(list(arrivals((stretch,), Random("8/0"))))
    with serving(waiting_room) as address:
        crowds = (Crowd("everybody", "morning", (stretch,)),)
        orders = Orders(Target(*address), cast, crowds, begins_at=time.monotonic(), seconds=LONG_S, haste=4.0, seed=8)
        performance = Performance(orders, Cast(cast))
        if is_crowded:
            performance.sockets_many = 0
        performance.begin(lambda tally, _receipts: whole.add(tally))
        play_until(performance.loop, lambda: whole.served.total() == people)
        performance.end()
    assert whole.people == whole.offered.total() == people > 20
    assert whole.refused.total() == 2 * people
    assert whole.refused_new.total() == (2 if is_crowded else 1) * people
    assert whole.waiting.people == whole.waiting.admitted == people
    assert whole.waiting.kept == whole.waiting.promised
    assert whole.waiting.promised.total() == people
    assert whole.known == {True: people}
    assert not whole.errors


@pytest.mark.parametrize("known_share", [0.0, 1.0])
@pytest.mark.parametrize("cookies", [{}, {"device": "a"}])
def test_a_cast_without_a_kind_of_device_sends_somebody_on_the_other_kind(
    tmp_path: Path, cookies: dict[str, str], known_share: float
) -> None:
    cast = tmp_path / "cast.jsonl"
    elsewhere = {"device": "b"} if not cookies else {}
    cast.write_bytes(b"\n".join(
        msgspec.json.encode(
            Player(role="pupil", host=host, sign_in_name="1", password="", source="127.128.1.1", cookies=kept)
        ) for host, kept in (("wilge.test", cookies), ("linde.test", elsewhere))
    ))  # fmt: skip
    crowd = Crowd("one school", "morning", (), hosts=("wilge.test",), known_share=known_share)
    player = Cast(cast).next(crowd, Random(8))
    assert player is not None
    assert (player.host, player.cookies) == ("wilge.test", cookies)


def test_nobody_comes_on_the_other_kind_of_device_while_all_of_the_wanted_kind_are_under_way(tmp_path: Path) -> None:
    file = tmp_path / "cast.jsonl"
    devices: tuple[dict[str, str], ...] = ({}, {"device": "a"})
    players = [
        Player(role="pupil", host="wilge.test", sign_in_name="1", password="", source="127.128.1.1", cookies=cookies)
        for cookies in devices
    ]
    file.write_bytes(b"\n".join(map(msgspec.json.encode, players)))
    cast, strangers = Cast(file), Crowd("strangers", "morning", (), known_share=0.0)
    came = cast.next(strangers, Random(8))
    assert came is not None
    assert not came.is_known
    assert cast.next(strangers, Random(8)) is None
    cast.take_back(came)
    assert cast.next(strangers, Random(8)) == came


def test_schools_that_stand_one_after_the_other_in_the_cast_come_mixed(tmp_path: Path) -> None:
    file = tmp_path / "cast.jsonl"
    file.write_bytes(b"\n".join(
        msgspec.json.encode(
            Player(
                role="pupil", host=host, sign_in_name=str(number), password="", source="127.128.1.1",
                cookies={"device": "a"},
            )
        ) for host in ("wilge.test", "linde.test") for number in range(100)
    ))  # fmt: skip
    cast, chance = Cast(file), Random(8)
    everybody = Crowd("everybody", "morning", ())
    came = [player for player in (cast.next(everybody, chance) for _ in range(200)) if player is not None]
    assert 30 <= sum(player.host == "wilge.test" for player in came[:100]) <= 70
    assert len({(player.host, player.sign_in_name) for player in came}) == 200, "each comes once"
    assert cast.next(everybody, chance) is None, "all of them are there"
    cast.take_back(came[7])
    assert cast.next(everybody, chance) == came[7]


def attack_on(address: tuple[str, int], stretch: Stretch, *, kept_share: float = 0.5, slow: int = 0) -> Attack:
    """An attack that begins now."""
    return Attack(
        AttackOrders(
            target=Target(*address), floods=(b"GET / HTTP/1.1\r\n\r\n",), sprays=(), own_sources=("127.64.1.1",),
            other_sources=("127.32.1.1",), stretches=(stretch,), begins_at=time.monotonic(), seconds=10 * LONG_S,
            seed=8, kept_share=kept_share, slow_connections=slow, slow_host="wilge.test",
        )
    )  # fmt: skip


@pytest.mark.parametrize("kept_share", [0.0, 0.5, 1.0])
def test_attackers_send_on_schedule_and_count_what_they_are_told(kept_share: float) -> None:
    stretch, whole = Stretch(0.0, 0.5, 200.0), Tally()
    with serving(refusal) as address:
        attack = attack_on(address, stretch, kept_share=kept_share)
        attack.begin(whole.add)
        play_until(attack.loop, lambda: whole.attacks["sent"] == whole.attacks["503"] > 50)
        attack.end()
    assert set(whole.attacks) == {"sent", "503"}


def test_slow_clients_send_their_heads_and_are_not_done_with_it() -> None:
    whole = Tally()
    with serving(lambda _request: b"") as address:
        attack = attack_on(address, Stretch(0.0, 0.0, 1.0), slow=20)
        attack.begin(whole.add)
        play_until(attack.loop, lambda: whole.attacks["slow headers"] == 20)
        attack.end()
    assert set(whole.attacks) == {"slow headers"}
