"""Adding documents to a folder."""

import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.conftest import Installation, wait_until
from tests.domains.conftest import PLATAAN, Course, Plataan, SignedIn
from tests.domains.documents.conftest import PDF, add, content, new_course, shown


def test_what_a_teacher_adds_a_pupil_opens_byte_for_byte(course: Course, signed_in: SignedIn) -> None:
    data = PDF + bytes(range(256)) * 3_000
    assert add(signed_in("Tariq"), course, ("Werkblad.pdf", data)).status_code == 303
    pupil = signed_in("Noor")
    answer = content(pupil, shown(pupil, course.href).hrefs["Werkblad.pdf"])
    assert answer.content == data
    assert answer.headers["content-type"] == "application/pdf"


def test_many_documents_come_in_one_form(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    answer = add(teacher, course, ("10 Toets.pdf", PDF), ("2 Herhaling.pdf", PDF), ("leeg.txt", b""))
    assert answer.headers["location"] == f"{course.href}?added=3"
    assert shown(teacher, course.href).names == ["2 Herhaling.pdf", "10 Toets.pdf", "leeg.txt"]
    assert "3 documenten staan er nu." in teacher.get(answer.headers["location"]).text


def test_an_upload_sent_again_adds_nothing_more(course: Course, signed_in: SignedIn) -> None:
    teacher, upload = signed_in("Tariq"), uuid4()
    for _ in range(3):
        assert add(teacher, course, ("a.pdf", PDF), ("a.pdf", PDF), upload=upload).status_code == 303
    assert shown(teacher, course.href).names == ["a (2).pdf", "a.pdf"]


def test_going_back_and_sending_another_file_adds_that_one_too(course: Course, signed_in: SignedIn) -> None:
    teacher, upload = signed_in("Tariq"), uuid4()
    add(teacher, course, ("een.pdf", PDF + b"1"), upload=upload)
    add(teacher, course, ("twee.pdf", PDF + b"2"), upload=upload)
    assert shown(teacher, course.href).names == ["een.pdf", "twee.pdf"]


def test_a_retry_after_the_document_moved_or_went_does_not_bring_it_back(course: Course, signed_in: SignedIn) -> None:
    teacher, upload = signed_in("Tariq"), uuid4()
    add(teacher, course, ("weg.pdf", PDF), upload=upload)
    teacher.post(f"{shown(teacher, course.href).hrefs['weg.pdf']}/deletion")
    assert add(teacher, course, ("weg.pdf", PDF), upload=upload).status_code == 303
    assert shown(teacher, course.href).names == []


def test_two_who_send_the_same_name_at_once_both_keep_theirs(course: Course, signed_in: SignedIn) -> None:
    teachers = [signed_in("Tariq") for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = threads.map(
            lambda pair: add(pair[1], course, ("Toets.pdf", PDF + str(pair[0]).encode())), enumerate(teachers)
        )
        assert [answer.status_code for answer in answers] == [303] * 4
    names = ["Toets (2).pdf", "Toets (3).pdf", "Toets (4).pdf", "Toets.pdf"]
    assert shown(teachers[0], course.href).names == names


def test_a_program_is_told_the_addresses_of_what_it_added(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    teacher.headers["accept"] = "application/json"
    answer = add(teacher, course, ("a.pdf", PDF))
    assert answer.status_code == 201
    teacher.headers["accept"] = "text/html"
    assert answer.json() == {"documents": [shown(teacher, course.href).hrefs["a.pdf"]]}


def test_names_lose_folders_control_characters_and_what_turns_text_around(course: Course, signed_in: SignedIn) -> None:
    teacher = signed_in("Tariq")
    given = [
        "C:\\Users\\els\\Toets.pdf",
        "../../etc/passwd",
        "brief\u202efdp.exe",
        "e\u0301\u00e9n.pdf",
        "x" * 300 + ".pdf",
    ]
    for name in given:
        assert add(teacher, course, (name, PDF)).status_code == 303
    names = shown(teacher, course.href).names
    assert sorted(names) == sorted(["Toets.pdf", "passwd", "brieffdp.exe", "één.pdf", "x" * 196 + ".pdf"])


def test_who_only_reads_cannot_add(course: Course, signed_in: SignedIn) -> None:
    for name in ("Noor", "Bart", "Greet"):
        answer = add(signed_in(name), course, ("a.pdf", PDF))
        assert answer.status_code == 403, name
    assert shown(signed_in("Tariq"), course.href).names == []


def test_who_has_nothing_to_do_with_a_course_does_not_find_it(course: Course, signed_in: SignedIn) -> None:
    for name in ("Els", "Amir"):
        assert add(signed_in(name), course, ("a.pdf", PDF)).status_code == 404, name


def test_a_folder_of_another_course_is_not_found(plataan: Plataan, course: Course, signed_in: SignedIn) -> None:
    elsewhere = plataan.courses["Biologie"].folder_id
    assert add(signed_in("Tariq"), course, ("a.pdf", PDF), folder=elsewhere).status_code == 404
    assert shown(signed_in("Els"), plataan.courses["Biologie"].href).names == []


def test_a_file_beyond_the_limit_is_refused_with_a_sentence_and_nothing_is_added(
    course: Course, signed_in: SignedIn, narrow_server: str
) -> None:
    teacher = signed_in("Tariq", address=narrow_server)
    answer = add(teacher, course, ("klein.pdf", PDF), ("groot.pdf", PDF + bytes(1_300_000)))
    assert answer.status_code == 413
    assert "Een document mag hoogstens 1 MB groot zijn." in answer.text
    assert shown(teacher, course.href).names == []


def test_a_form_beyond_the_limit_is_refused_with_a_sentence(
    course: Course, signed_in: SignedIn, narrow_server: str
) -> None:
    teacher = signed_in("Tariq", address=narrow_server)
    answer = add(teacher, course, *((f"{number}.pdf", PDF + bytes(900_000)) for number in range(3)))
    assert answer.status_code == 413
    assert "samen hoogstens 2 MB" in answer.text


def test_too_many_files_at_once_are_refused_with_a_sentence(
    course: Course, signed_in: SignedIn, narrow_server: str
) -> None:
    teacher = signed_in("Tariq", address=narrow_server)
    answer = add(teacher, course, *((f"{number}.pdf", PDF) for number in range(4)))
    assert answer.status_code == 422
    assert "Hoogstens 3 documenten tegelijk." in answer.text


def test_a_full_folder_takes_no_more(course: Course, signed_in: SignedIn, narrow_server: str) -> None:
    teacher = signed_in("Tariq", address=narrow_server)
    add(teacher, course, *((f"{number}.pdf", PDF) for number in range(3)))
    answer = add(teacher, course, ("a.pdf", PDF), ("b.pdf", PDF))
    assert answer.status_code == 422
    assert "hoogstens 4 documenten" in answer.text
    assert shown(teacher, course.href).names == ["0.pdf", "1.pdf", "2.pdf"]


def test_a_form_without_files_and_one_that_is_damaged_are_refused_with_a_sentence(
    course: Course, signed_in: SignedIn
) -> None:
    teacher = signed_in("Tariq")
    address = f"{course.href}/folders/{course.folder_id}/documents"
    empty = teacher.post(address, files=[("files", ("", b""))])
    assert empty.status_code == 422
    assert "Kies eerst een document." in empty.text
    damaged = teacher.post(address, content=b"hello", headers={"content-type": "multipart/form-data; boundary=x"})
    assert damaged.status_code == 422
    assert "beschadigd" in damaged.text


def test_an_upload_that_breaks_off_leaves_nothing(
    installation: Installation, course: Course, signed_in: SignedIn
) -> None:
    teacher = signed_in("Tariq")
    incoming = installation.folder / "blobs/incoming"
    head = (
        f"POST {course.href}/folders/{course.folder_id}/documents HTTP/1.1\r\nHost: {PLATAAN}\r\n"
        f"Cookie: access={teacher.cookies['access']}\r\nContent-Length: 9000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="files"; filename="half.pdf"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", installation.port)) as line:
        line.sendall(head.encode() + bytes(900_000))
        wait_until(lambda: any(incoming.iterdir()))
    wait_until(lambda: not any(incoming.iterdir()))
    assert shown(teacher, course.href).names == []


def test_the_same_worksheet_in_forty_courses_of_a_school_is_one_blob(
    installation: Installation, plataan: Plataan, signed_in: SignedIn
) -> None:
    teacher, data = signed_in("Tariq"), PDF + b"for everybody"
    for number in range(40):
        course = new_course(installation, plataan, f"Wiskunde {number}")
        assert add(teacher, course, ("Werkblad.pdf", data)).status_code == 303
    sha256 = hashlib.sha256(data)
    counted = installation.sql(
        "SELECT count(*) AS documents, count(DISTINCT blob) AS blobs FROM document JOIN blob USING (school_id, sha256) "
        "WHERE sha256 = $1",
        sha256.digest(),
    )[0]
    assert (counted["documents"], counted["blobs"]) == (40, 1)
    objects = list((installation.folder / "blobs").glob(f"*/{sha256.hexdigest()}"))
    assert objects == [installation.folder / "blobs" / str(plataan.id) / sha256.hexdigest()]


def test_two_schools_never_share_a_blob(
    installation: Installation, plataan: Plataan, signed_in: SignedIn, course: Course
) -> None:
    data = PDF + b"in two schools"
    add(signed_in("Tariq"), course, ("a.pdf", data))
    add(signed_in("Joke", host="hazelaar.localhost"), plataan.courses["Muziek"], ("a.pdf", data))
    objects = (installation.folder / "blobs").glob(f"*/{hashlib.sha256(data).hexdigest()}")
    assert {path.parent.name for path in objects} == {str(plataan.id), str(plataan.other_id)}
