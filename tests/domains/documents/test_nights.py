"""What the night does to bins and to bytes that nobody wants any more."""

import asyncio
import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from tests.conftest import MORNING, Installation
from tests.domains.conftest import Course, Plataan, SignedIn
from tests.domains.documents.conftest import PDF, add, add_folder, shown


def night(installation: Installation, days: float, *schedules: str) -> None:
    """Do the night's work as it will be done so many days after this morning."""
    clock = (datetime.fromisoformat(MORNING) + timedelta(days=days)).isoformat()
    for schedule in schedules:
        done = installation.run("work", "now", schedule, clock=clock)
        assert done.returncode == 0, done.stderr


def is_kept(installation: Installation, school: UUID, data: bytes) -> tuple[bool, bool]:
    """Whether the bytes have a row, and whether the store has them."""
    digest = hashlib.sha256(data)
    rows = installation.sql("SELECT FROM blob WHERE school_id = $1 AND sha256 = $2", school, digest.digest())
    return bool(rows), (installation.folder / "blobs" / str(school) / digest.hexdigest()).exists()


def test_what_is_in_the_bin_for_thirty_days_goes_for_good(
    installation: Installation, course: Course, signed_in: SignedIn
) -> None:
    teacher = signed_in("Tariq")
    folder = add_folder(teacher, course, "Toetsen")
    add_folder(teacher, course, "Oude", parent=folder)
    add(teacher, course, ("a.pdf", PDF), folder=folder)
    add(teacher, course, ("blijft.pdf", PDF))
    assert teacher.post(f"{course.href}/folders/{folder}/deletion").status_code == 303
    night(installation, 29.9, "empty-bins")
    assert "Toetsen" in teacher.get(f"{course.href}/bin").text
    night(installation, 30.1, "empty-bins")
    assert "Toetsen" not in teacher.get(f"{course.href}/bin").text
    assert teacher.post(f"{course.href}/folders/{folder}/restoration").status_code == 404
    assert shown(teacher, course.href).names == ["blijft.pdf"]


def test_bytes_that_no_document_has_go_thirty_five_days_later(
    installation: Installation, plataan: Plataan, course: Course, signed_in: SignedIn
) -> None:
    teacher, data = signed_in("Tariq"), PDF + b"only once"
    add(teacher, course, ("a.pdf", data))
    teacher.post(f"{shown(teacher, course.href).hrefs['a.pdf']}/deletion")
    night(installation, 31, "empty-bins", "remove-blobs")
    assert is_kept(installation, plataan.id, data) == (True, True)
    night(installation, 65.9, "remove-blobs")
    assert is_kept(installation, plataan.id, data) == (True, True)
    night(installation, 66.1, "remove-blobs")
    assert is_kept(installation, plataan.id, data) == (False, False)


def test_bytes_that_somebody_sends_again_meanwhile_stay(
    installation: Installation, plataan: Plataan, course: Course, signed_in: SignedIn
) -> None:
    teacher, data = signed_in("Tariq"), PDF + b"wanted again"
    add(teacher, course, ("a.pdf", data))
    teacher.post(f"{shown(teacher, course.href).hrefs['a.pdf']}/deletion")
    night(installation, 31, "empty-bins", "remove-blobs")
    add(teacher, course, ("b.pdf", data))
    night(installation, 70, "remove-blobs")
    assert is_kept(installation, plataan.id, data) == (True, True)
    assert teacher.get(shown(teacher, course.href).hrefs["b.pdf"]).status_code == 200


def test_bytes_removed_and_sent_again_are_kept_again(
    installation: Installation, plataan: Plataan, course: Course, signed_in: SignedIn
) -> None:
    teacher, data = signed_in("Tariq"), PDF + b"gone and back"
    add(teacher, course, ("a.pdf", data))
    teacher.post(f"{shown(teacher, course.href).hrefs['a.pdf']}/deletion")
    night(installation, 31, "empty-bins", "remove-blobs")
    night(installation, 67, "remove-blobs")
    assert is_kept(installation, plataan.id, data) == (False, False)
    add(teacher, course, ("b.pdf", data))
    assert is_kept(installation, plataan.id, data) == (True, True)


def test_an_unknown_schedule_is_named_with_those_that_there_are(installation: Installation) -> None:
    done = installation.run("work", "now", "tidy-up")
    assert done.returncode != 0
    assert "remove-blobs" in done.stderr


def test_an_upload_that_meets_the_removal_of_its_bytes_waits_and_keeps_them(
    installation: Installation, plataan: Plataan, course: Course, signed_in: SignedIn
) -> None:
    teacher, data = signed_in("Tariq"), PDF + b"at the same moment"
    add(teacher, course, ("a.pdf", data))
    digest = hashlib.sha256(data)

    async def meet() -> int:
        removal = await asyncpg.connect(installation.database_url("firstbell_owner"))
        await removal.execute("DELETE FROM document WHERE sha256 = $1", digest.digest())
        async with removal.transaction():
            await removal.execute("DELETE FROM blob WHERE sha256 = $1", digest.digest())
            upload = asyncio.create_task(asyncio.to_thread(add, teacher, course, ("b.pdf", data)))
            while not await removal.fetchval("SELECT true FROM pg_locks WHERE NOT granted LIMIT 1"):
                await asyncio.sleep(0.05)
            (installation.folder / "blobs" / str(plataan.id) / digest.hexdigest()).unlink()
        await removal.close()
        return (await asyncio.wait_for(upload, 20)).status_code

    assert asyncio.run(meet()) == 303
    assert is_kept(installation, plataan.id, data) == (True, True)
