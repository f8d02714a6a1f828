"""Documents whose bytes are in a bucket."""

import hashlib
from collections.abc import Iterator

import pytest

from tests.conftest import Installation, serving
from tests.domains.conftest import Course, Plataan, SignedIn
from tests.domains.documents.conftest import PDF, add, content, shown, signed_address
from tests.kernel.bucket import Bucket, running_bucket


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with running_bucket() as running:
        yield running


@pytest.fixture(scope="module")
def server_of_bucket(installation: Installation, plataan: Plataan, bucket: Bucket) -> Iterator[str]:
    """A server that keeps its blobs in the bucket, and gives up on it after a second."""
    del plataan
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", bucket.url)
        environment.setenv("AWS_ACCESS_KEY_ID", "somebody")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        environment.setenv("AWS_REGION", "eu-west-1")
        with serving(installation, blobs_url="s3://documents", blob_timeout_ms="1000") as address:
            yield address


@pytest.mark.parametrize("size", [10, 300_000, 20_000_000])
def test_documents_go_to_the_bucket_and_come_back_whole_and_in_parts(
    course: Course, plataan: Plataan, signed_in: SignedIn, *, server_of_bucket: str, bucket: Bucket, size: int
) -> None:
    teacher, data = signed_in("Tariq", address=server_of_bucket), PDF + bytes(size)
    assert add(teacher, course, ("a.pdf", data)).status_code == 303
    assert bucket.objects[f"{plataan.id}/{hashlib.sha256(data).hexdigest()}"] == data
    href = shown(teacher, course.href).hrefs["a.pdf"]
    assert content(teacher, href).content == data
    location = signed_address(teacher, href)
    assert teacher.get(location, headers={"range": "bytes=2-9"}).content == data[2:10]


def test_without_the_bucket_pages_open_and_say_so_and_nothing_half_done_stays(
    course: Course, signed_in: SignedIn, server_of_bucket: str, bucket: Bucket
) -> None:
    teacher = signed_in("Tariq", address=server_of_bucket)
    add(teacher, course, ("notities.txt", b"Dag klas"))
    href = shown(teacher, course.href).hrefs["notities.txt"]
    assert "Dag klas" in teacher.get(href).text
    bucket.is_down = True
    try:
        assert "Deze tekst is even niet bereikbaar." in teacher.get(href).text
        refused = add(teacher, course, ("b.pdf", PDF + b"not now"))
        assert refused.status_code == 503
        assert "Documenten zijn even niet bereikbaar." in refused.text
        assert shown(teacher, course.href).names == ["notities.txt"]
    finally:
        bucket.is_down = False
    assert add(teacher, course, ("b.pdf", PDF + b"not now")).status_code == 303
