"""Adding documents to a folder."""

from uuid import uuid4

from tests.domains.conftest import Plataan, SignedIn


def test_what_a_teacher_adds_a_pupil_opens(plataan: Plataan, signed_in: SignedIn) -> None:
    course = plataan.courses["Wiskunde"]
    teacher, pupil = signed_in("Tariq"), signed_in("Noor")
    answer = teacher.post(
        f"{course.href}/folders/{course.folder_id}/documents?upload={uuid4()}",
        files=[("files", ("Werkblad.pdf", b"%PDF-1.7 hello", "text/html"))],
    )
    assert answer.status_code == 303, answer.text
    page = pupil.get(course.href)
    assert page.status_code == 200
    assert "Werkblad.pdf" in page.text
