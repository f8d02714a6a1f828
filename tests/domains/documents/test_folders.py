"""Folders: made, renamed, moved, thrown away and taken back."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import httpx

from tests.domains.conftest import Course, Plataan, SignedIn
from tests.domains.documents.conftest import PDF, add, add_folder, shown


def change(client: httpx.Client, href: str, name: str, folder: UUID) -> httpx.Response:
    """Send the form that renames or moves what is at `href`."""
    return client.post(f"{href}/details", data={"name": name, "folder": str(folder)})


def test_folders_hold_folders_and_sort_as_people_count(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    for name in ("10 Statistiek", "5 Pythagoras", "4 Vergelijkingen"):
        made = add_folder(teacher, course, name)
    add_folder(teacher, course, "Toetsen", parent=made)
    assert shown(teacher, course.href).names == ["4 Vergelijkingen", "5 Pythagoras", "10 Statistiek"]
    inner = f"{course.href}/folders/{made}"
    assert shown(teacher, inner).names == ["Toetsen"]
    crumbs = teacher.get(shown(teacher, inner).hrefs["Toetsen"]).text
    assert re.findall(r'<li><a href="([^"]+)">', crumbs)[-3:] == ["/courses", course.href, inner]


def test_a_folder_made_twice_is_made_once(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    form = {"id": str(uuid4()), "name": "Toetsen", "parent": str(course.folder_id)}
    for _ in range(2):
        assert teacher.post(f"{course.href}/folders", data=form).status_code == 303
    assert shown(teacher, course.href).names == ["Toetsen"]


def test_a_folder_needs_a_name_and_takes_a_free_one(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    add_folder(teacher, course, "Toetsen")
    add_folder(teacher, course, "toetsen")
    assert shown(teacher, course.href).names == ["Toetsen", "toetsen (2)"]
    form = {"id": str(uuid4()), "name": " \u202e ", "parent": str(course.folder_id)}
    answer = teacher.post(f"{course.href}/folders", data=form)
    assert answer.status_code == 422
    assert "Geef het een naam." in answer.text


def test_a_document_is_renamed_and_moved(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    folder = add_folder(teacher, course, "Toetsen")
    add(teacher, course, ("a.pdf", PDF))
    add(teacher, course, ("b.pdf", PDF), folder=folder)
    answer = change(teacher, shown(teacher, course.href).hrefs["a.pdf"], "b.pdf", folder)
    assert answer.headers["location"] == f"{course.href}/folders/{folder}"
    assert shown(teacher, course.href).names == ["Toetsen"]
    assert shown(teacher, f"{course.href}/folders/{folder}").names == ["b (2).pdf", "b.pdf"]


def test_the_form_offers_every_folder_but_those_inside(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    outer = add_folder(teacher, course, "Buiten")
    add_folder(teacher, course, "Binnen", parent=outer)
    add_folder(teacher, course, "Naast")
    form = teacher.get(f"{course.href}/folders/{outer}/details").text
    assert re.findall(r"<option[^>]*>([^<]+)", form) == ["Fysica", "Fysica / Naast"]


def test_a_folder_never_goes_inside_itself(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    outer = add_folder(teacher, course, "Buiten")
    inner = add_folder(teacher, course, "Binnen", parent=outer)
    for place in (outer, inner):
        answer = change(teacher, f"{course.href}/folders/{outer}", "Buiten", place)
        assert answer.status_code == 422
        assert "kan niet in zichzelf" in answer.text


def test_two_folders_moved_into_each_other_at_once_make_no_circle(course: Course, signed_in: SignedIn) -> None:
    teachers = [signed_in("Tariq"), signed_in("Tariq")]
    for turn in range(5):
        pair = [add_folder(teachers[0], course, f"{turn} {side}") for side in ("links", "rechts")]
        with ThreadPoolExecutor(2) as threads:
            moved = list(
                threads.map(
                    lambda who, what, where: change(who, f"{course.href}/folders/{what}", "x", where).status_code,
                    teachers,
                    pair,
                    reversed(pair),
                )
            )
        assert sorted(moved) == [303, 422]


def test_the_top_folder_belongs_to_the_course(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    top = f"{course.href}/folders/{course.folder_id}"
    assert teacher.get(top).headers["location"] == course.href
    assert change(teacher, top, "Weg", course.folder_id).status_code in (404, 422)
    assert teacher.post(f"{top}/deletion").status_code == 404
    assert teacher.get(f"{top}/details").status_code == 404


def test_folders_go_so_deep_and_not_further(course: Course, signed_in: SignedIn, narrow_server: str) -> None:
    teacher = signed_in("Tariq", address=narrow_server)
    one = add_folder(teacher, course, "1")
    two = add_folder(teacher, course, "2", parent=one)
    form = {"id": str(uuid4()), "name": "3", "parent": str(two)}
    answer = teacher.post(f"{course.href}/folders", data=form)
    assert answer.status_code == 422
    assert "3 niveaus diep" in answer.text
    beside = add_folder(teacher, course, "naast")
    assert change(teacher, f"{course.href}/folders/{one}", "1", beside).status_code == 422


def test_a_deleted_document_is_gone_and_comes_back_by_undo(course: Course, signed_in: SignedIn) -> None:
    teacher, pupil = signed_in("Tariq"), signed_in("Noor")
    add(teacher, course, ("a.pdf", PDF))
    href = shown(teacher, course.href).hrefs["a.pdf"]
    after = teacher.post(f"{href}/deletion").headers["location"]
    assert pupil.get(href).status_code == 404
    assert pupil.get(f"{href}/content").status_code == 404
    page = teacher.get(after).text
    assert "a.pdf ligt in de prullenbak." in page
    assert f'action="{href}/restoration"' in page
    assert "prullenbak" not in pupil.get(after).text
    assert teacher.post(f"{href}/restoration").headers["location"] == course.href
    assert pupil.get(href).status_code == 200


def test_a_folder_goes_and_comes_back_with_all_that_went_with_it(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    folder = add_folder(teacher, course, "Toetsen")
    inner = add_folder(teacher, course, "Oude", parent=folder)
    add(teacher, course, ("a.pdf", PDF), ("eerder weg.pdf", PDF), folder=inner)
    hrefs = shown(teacher, f"{course.href}/folders/{inner}").hrefs
    teacher.post(f"{hrefs['eerder weg.pdf']}/deletion")
    teacher.post(f"{course.href}/folders/{folder}/deletion")
    assert teacher.get(hrefs["a.pdf"]).status_code == 404
    assert teacher.get(f"{course.href}/folders/{inner}").status_code == 404
    listed = re.findall(r'<span class="row-title">([^<]+)', teacher.get(f"{course.href}/bin").text)
    assert listed == ["Toetsen", "eerder weg.pdf"]
    teacher.post(f"{course.href}/folders/{folder}/restoration")
    assert shown(teacher, f"{course.href}/folders/{inner}").names == ["a.pdf"]
    assert teacher.get(hrefs["eerder weg.pdf"]).status_code == 404


def test_what_comes_back_from_a_folder_in_the_bin_comes_to_the_top(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    folder = add_folder(teacher, course, "Toetsen")
    add(teacher, course, ("a.pdf", PDF))
    add(teacher, course, ("a.pdf", PDF), folder=folder)
    href = shown(teacher, f"{course.href}/folders/{folder}").hrefs["a.pdf"]
    teacher.post(f"{href}/deletion")
    teacher.post(f"{course.href}/folders/{folder}/deletion")
    assert teacher.post(f"{href}/restoration").headers["location"] == course.href
    assert shown(teacher, course.href).names == ["a (2).pdf", "a.pdf"]


def test_who_only_reads_changes_nothing(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    folder = add_folder(teacher, course, "Toetsen")
    add(teacher, course, ("a.pdf", PDF))
    document = shown(teacher, course.href).hrefs["a.pdf"]
    for name in ("Noor", "Bart", "Greet"):
        reader = signed_in(name)
        assert shown(reader, course.href).names == ["Toetsen", "a.pdf"]
        assert "Nieuwe map" not in reader.get(course.href).text
        for href in (document, f"{course.href}/folders/{folder}"):
            assert change(reader, href, "x", course.folder_id).status_code == 403
            assert reader.get(f"{href}/details").status_code == 403
            assert reader.post(f"{href}/deletion").status_code == 403
            assert reader.post(f"{href}/restoration").status_code == 403
        assert reader.get(f"{course.href}/bin").status_code == 403
    assert shown(teacher, course.href).names == ["Toetsen", "a.pdf"]


def test_a_document_of_another_course_is_not_found_by_way_of_mine(
    plataan: Plataan, course: Course, signed_in: SignedIn
) -> None:
    els, teacher = signed_in("Els"), signed_in("Tariq")
    other = plataan.courses["Biologie"]
    add(els, other, ("geheim.pdf", PDF))
    href = shown(els, other.href).hrefs["geheim.pdf"]
    document = href.rpartition("/")[2]
    for address in (href, f"{course.href}/documents/{document}"):
        assert teacher.get(address).status_code == 404
        assert teacher.get(f"{address}/content").status_code == 404
        assert teacher.post(f"{address}/deletion").status_code == 404
        assert change(teacher, address, "x", course.folder_id).status_code == 404
    els.post(f"{href}/deletion")


def test_a_document_cannot_move_into_another_course(plataan: Plataan, course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    add(teacher, course, ("a.pdf", PDF))
    href = shown(teacher, course.href).hrefs["a.pdf"]
    assert change(teacher, href, "a.pdf", plataan.courses["Biologie"].folder_id).status_code == 404


def test_next_and_previous_go_through_the_folder_in_its_order(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    add(teacher, course, ("10.pdf", PDF), ("9.pdf", PDF), ("8.pdf", PDF))
    hrefs = shown(teacher, course.href).hrefs
    page = teacher.get(hrefs["9.pdf"]).text
    assert re.search(r'rel="prev" href="([^"]+)"', page)[1] == hrefs["8.pdf"]  # type: ignore[index]
    assert re.search(r'rel="next" href="([^"]+)"', page)[1] == hrefs["10.pdf"]  # type: ignore[index]
    assert "door Tariq Benali" in page
