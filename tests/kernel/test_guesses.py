"""Guessing passwords: the one whose name it is still gets in, and who tries many names is noticed."""

import pytest

from firstbell.kernel.guesses import Attempt, Guesses, TooManyGuessesError

SCHOOL, HOME, ELSEWHERE = b"s" * 16, b"\xc6\x33\x64\x07", b"\xcb\x00\x71\x09"
PHONE, TABLET = b"p" * 16, b"t" * 16
NOW_S = 1_800_000_000.0


def guesses() -> Guesses:
    return Guesses(per_s=30 / 3_600, burst=10, names_max=1_000, salt=b"salt")


def attempt(name: str = "noor", device: bytes | None = None, source: bytes = ELSEWHERE) -> Attempt:
    return Attempt(SCHOOL, name, device, source)


def miss(made: Guesses, wrong: Attempt, now_s: float = NOW_S) -> None:
    made.begin(wrong, now_s)
    made.was_wrong(wrong, now_s)


def test_unknown_devices_share_one_budget_for_a_name_wherever_they_are() -> None:
    made = guesses()
    for turn in range(10):
        miss(made, attempt(source=bytes([turn])))
    with pytest.raises(TooManyGuessesError) as refused:
        made.begin(attempt(source=HOME), NOW_S)
    assert 100 < (refused.value.retry_after_s or 0) <= 120
    made.begin(attempt("wout"), NOW_S)
    made.begin(attempt(), NOW_S + 121)


def test_a_known_device_is_not_locked_out_by_who_guesses_its_name() -> None:
    made = guesses()
    for _ in range(10):
        miss(made, attempt())
    for _ in range(10):
        miss(made, attempt(device=PHONE))
    made.begin(attempt(device=TABLET), NOW_S)
    with pytest.raises(TooManyGuessesError):
        made.begin(attempt(device=PHONE), NOW_S)


def test_a_name_is_one_name_in_each_school() -> None:
    made = guesses()
    for _ in range(10):
        miss(made, attempt())
    made.begin(Attempt(b"o" * 16, "noor", None, ELSEWHERE), NOW_S)


def test_signing_in_rightly_uses_nothing_up() -> None:
    made = guesses()
    for _ in range(100):
        made.begin(attempt(), NOW_S)
        made.was_none(attempt())
    assert made.names_missed(ELSEWHERE) == 0


def test_guesses_that_come_together_are_bounded_together() -> None:
    made = guesses()
    begun = 0
    for _ in range(50):
        try:
            made.begin(attempt(), NOW_S)
            begun += 1
        except TooManyGuessesError:
            continue
    assert begun == 10


def test_one_password_tried_on_many_names_is_seen_at_its_source_and_at_its_school() -> None:
    made = guesses()
    for number in range(200):
        miss(made, attempt(f"pupil.{number}"))
    for _ in range(5):
        miss(made, attempt("noor", source=HOME))
    assert 195 <= made.names_missed(ELSEWHERE) <= 200
    assert made.names_missed(HOME) == 1
    assert 195 <= made.names_missed(SCHOOL) <= 201


def test_a_spray_is_forgotten_after_a_while() -> None:
    made = guesses()
    for number in range(64):
        miss(made, attempt(f"pupil.{number}"))
    for later in range(1, 9):
        miss(made, attempt(source=HOME), NOW_S + later * 301)
    assert made.names_missed(ELSEWHERE) == 0
