"""The documents of the demo world are real files, the same for the same course everywhere."""

from collections import Counter
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from itertools import pairwise

import av
import pytest
from PIL import Image

from firstbell.rehearsal.world import Course, School, World, generate_world
from firstbell.rehearsal.world.documents import WorldDocument, course_documents, lesson_material
from firstbell.rehearsal.world.films import make_film
from firstbell.rehearsal.world.sounds import play_tune
from firstbell.rehearsal.world.subjects import BY_KEY
from firstbell.rehearsal.world.worksheets import make_worksheet

TODAY = date(2026, 4, 20)
MAGIC = {
    "application/pdf": b"%PDF-1.",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "audio/mpeg": b"ID3",
    "audio/wav": b"RIFF",
    "video/webm": b"\x1a\x45\xdf\xa3",
    "text/plain": b"",
}


@cache
def world() -> World:
    return generate_world(3, 600, today=TODAY)


def main_school() -> School:
    return world().schools[0]


def course(code: str) -> Course:
    return next(course for course in main_school().courses if course.code == code)


def one_of_each_type() -> dict[str, WorldDocument]:
    return {document.media_type: document for each in main_school().courses for document in course_documents(each)}


def test_every_course_has_three_to_eight_documents_with_a_name_of_their_own() -> None:
    for school in world().schools:
        for each in school.courses:
            names = Counter(document.name for document in course_documents(each))
            assert 3 <= len(names) <= 8
            assert set(names.values()) == {1}


def test_folders_are_called_after_chapters() -> None:
    documents = list(course_documents(course("WIS-3B")))
    assert [document.folder for document in documents][:3] == [
        "5 Pythagoras",
        "5 Pythagoras",
        "4 Vergelijkingen",
    ]
    assert [document.name for document in documents][:2] == [
        "Werkblad Pythagoras.pdf",
        "Bewijs in 3 stappen.webm",
    ]


def test_documents_are_what_their_media_type_says() -> None:
    documents = one_of_each_type()
    assert documents.keys() == MAGIC.keys()
    for media_type, document in documents.items():
        assert document.read().startswith(MAGIC[media_type]), media_type


def test_a_worksheet_has_five_pages_and_more_than_200_kilobytes() -> None:
    worksheet = next(course_documents(course("WIS-3B"))).read()
    assert worksheet.count(b"/Type /Page\n") == 5
    assert 200_000 < len(worksheet) < 350_000


def test_parallel_classes_share_their_documents_and_other_years_do_not_share_the_worksheet() -> None:
    third, parallel, fourth = (list(course_documents(course(code))) for code in ("WIS-3B", "WIS-3A", "WIS-4A"))
    assert [document.content for document in third] == [document.content for document in parallel]
    assert third[0].content != fourth[0].content


def test_a_school_of_600_has_about_a_hundred_distinct_documents() -> None:
    contents = {document.content for each in main_school().courses for document in course_documents(each)}
    assert 60 <= len(contents) <= 100


def test_documents_are_made_the_same_to_the_last_byte() -> None:
    assert make_film("pythagoras") == make_film("pythagoras")
    assert play_tune("stars") == play_tune("stars")
    assert make_worksheet(BY_KEY["frans"], "Mes amis") == make_worksheet(BY_KEY["frans"], "Mes amis")


def test_the_film_moves_for_six_seconds() -> None:
    with av.open(BytesIO(make_film("pythagoras")), "r") as film:
        frames = [bytes(frame.planes[0]) for frame in film.decode(video=0)]
        assert film.duration == 6_000_000
    assert len(frames) == 60
    assert sum(first != second for first, second in pairwise(frames)) > 20


def test_pictures_open_and_have_a_size_that_fits_a_page() -> None:
    documents = one_of_each_type()
    for media_type in ("image/png", "image/jpeg"):
        with Image.open(BytesIO(documents[media_type].read())) as picture:
            picture.load()
            assert min(picture.size) >= 400


@pytest.mark.parametrize("code", ["WIS-3B", "FRA-1A", "LAT-3AB"])
def test_lessons_have_material_out_of_the_course_s_own_documents(code: str) -> None:
    names = {document.name for document in course_documents(course(code))}
    days = [TODAY + timedelta(days=number) for number in range(30)]
    material = [lesson_material(course(code), day) for day in days]
    assert {name for lesson in material for name in lesson} <= names
    assert () in material
    assert sum(bool(lesson) for lesson in material) > 15
    assert material == [lesson_material(course(code), day) for day in days]
