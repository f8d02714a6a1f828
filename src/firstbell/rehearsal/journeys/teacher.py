"""A teacher's morning, and the evening before."""

from uuid import uuid4

from firstbell.rehearsal.journeys.arriving import arrive, stay_signed_in
from firstbell.rehearsal.journeys.documents import open_documents
from firstbell.rehearsal.journeys.step import Journey, Step, Urgency
from firstbell.rehearsal.load.player import Player

_BOUNDARY = "firstbell-rehearsal"
_WORKSHEET_BYTES = 40_000


def morning(player: Player) -> Journey:
    """Today, the class that comes first, its material, the week."""
    if not (yield from arrive(player)):
        return
    if player.week:
        yield Step(Urgency.P1, player.week, think_s=5.0)
    if player.course:
        yield Step(Urgency.P1, player.course, think_s=5.0)
    yield from open_documents(player)
    yield stay_signed_in()


def evening(player: Player) -> Journey:
    """Put tomorrow's worksheet into the course; a try that got no answer is sent again under the same id."""
    if not (yield from arrive(player)) or not player.folder:
        return
    upload = str(uuid4())
    yield Step(
        Urgency.P3,
        f"{player.folder}?upload={upload}",
        think_s=10.0,
        method="POST",
        body=_worksheet(upload),
        content_type=f"multipart/form-data; boundary={_BOUNDARY}",
        wanted=(201, 303),
        receipt=upload,
    )


def _worksheet(upload: str) -> bytes:
    """A text of a worksheet's size that no other upload has, named after its upload."""
    text = (upload * (_WORKSHEET_BYTES // len(upload))).encode()
    head = (
        f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="files"; filename="{upload}.txt"\r\n'
        "content-type: text/plain\r\n\r\n"
    )
    return head.encode() + text + f"\r\n--{_BOUNDARY}--\r\n".encode()
