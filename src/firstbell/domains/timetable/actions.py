"""What changes lessons: a file of the timetable program, and what their teachers say of them."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

import msgspec

from firstbell.domains.courses.model import CoursesRetired
from firstbell.domains.people.model import School
from firstbell.domains.timetable import queries
from firstbell.domains.timetable.model.events import read_ics
from firstbell.domains.timetable.model.lessons import Lesson
from firstbell.domains.timetable.model.rows import read_csv
from firstbell.domains.timetable.model.slots import Change, Directory, Planned, Rejection, Slot
from firstbell.domains.timetable.queries import importing
from firstbell.kernel.audit import record_audit
from firstbell.kernel.changes import record_change
from firstbell.kernel.clock import Clock, Ids
from firstbell.kernel.db import Transaction
from firstbell.kernel.errors import InvalidError
from firstbell.kernel.i18n import mark
from firstbell.settings import Settings

Window = tuple[date, date]
"""First and last day."""


class RejectedError(Exception):
    """A file has rows that we cannot accept, and nothing of it was kept."""

    def __init__(self, rejections: tuple[Rejection, ...], count: int) -> None:
        super().__init__(f"{count} of the file's lessons were rejected.")
        self.rejections = rejections
        self.count = count


class TimetableImport:
    """Brings a school's lessons to what a file of its timetable program says."""

    def __init__(self, settings: Settings, clock: Clock, ids: Ids) -> None:
        self._settings = settings
        self._clock = clock
        self._ids = ids

    async def run(
        self,
        tx: Transaction,
        school: School,
        path: Path,
        *,
        first: date | None = None,
        last: date | None = None,
        skip_rejected: bool = False,
        on_progress: Callable[[int], None] = lambda count: None,
    ) -> Change:
        """Add, change and take away lessons from `first` to `last`; without them, of the present school year.

        What the file no longer has goes, in the days that were asked for or else from the file's first day to its
        last; where a teacher wrote notes or chose material, the lesson stays and is cancelled. Notes that a teacher
        wrote stay. `on_progress` hears how many lessons were read.

        Raises:
            InvalidError: the file cannot be read as a timetable, or is larger than the settings allow.
            RejectedError: the file has lessons that we cannot accept, unless `skip_rejected`.
        """
        window = await self._window(tx, school, first, last)
        await importing.lock_timetable(tx, school.id)
        directory = Directory(
            await importing.list_known_courses(tx, school.id), await importing.list_known_teachers(tx, school.id)
        )
        await importing.make_incoming(tx)
        tally = _Tally(self._settings.timetable_rejections_max)
        await self._send(tx, tally.accepted(self._slots(path, school, window), directory, window), on_progress)
        await importing.finish_incoming(tx)
        repeated = await importing.take_out_repeated(tx)
        for place in repeated:
            tally.reject(Rejection(place, "lesson", "the file has this lesson twice"))
        if tally.rejected and not skip_rejected:
            raise RejectedError(tuple(tally.rejections), tally.rejected)
        days = (first or tally.first, last or tally.last)
        change = await self._merge(tx, school.id, days, tally, tally.sent - len(repeated))
        await self._note(tx, school.id, path, change)
        return change

    async def _window(self, tx: Transaction, school: School, first: date | None, last: date | None) -> Window:
        today = self._clock.now().astimezone(school.zone).date()
        year = await importing.find_school_year(tx, school.id, first or today)
        begins, ends = year or (today, today + timedelta(days=365))
        window = first or begins, last or ends
        if window[1] < window[0]:
            raise InvalidError(f"The days must be in order, not from {window[0]} to {window[1]}.")
        if (window[1] - window[0]).days > self._settings.timetable_days_max:
            raise InvalidError(f"At most {self._settings.timetable_days_max} days can be brought in at once.")
        return window

    def _slots(self, path: Path, school: School, window: Window) -> Iterator[Slot | Rejection]:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(1_000).lstrip(b"\xef\xbb\xbf \r\n").upper().startswith(b"BEGIN:VCALENDAR"):
                _check_size(size, self._settings.timetable_ics_bytes_max)
                file.seek(0)
                yield from read_ics(file.read(), school.zone, *window)
            else:
                _check_size(size, self._settings.timetable_file_bytes_max)
                file.seek(0)
                yield from read_csv(file)

    async def _send(self, tx: Transaction, planned: Iterator[Planned], on_progress: Callable[[int], None]) -> None:
        count = 0
        while batch := list(islice(planned, self._settings.timetable_batch_lessons)):
            count += len(batch)
            if count > self._settings.timetable_lessons_max:
                raise InvalidError(f"A file may have at most {self._settings.timetable_lessons_max} lessons.")
            await importing.copy_incoming(tx, ((self._ids.new(), one) for one in batch))
            on_progress(count)

    async def _merge(
        self, tx: Transaction, school_id: UUID, days: tuple[date | None, date | None], tally: "_Tally", sent: int
    ) -> Change:
        now = self._clock.now()
        changed = await importing.change_lessons(tx, school_id, now)
        added = await importing.insert_lessons(tx, school_id, now)
        await importing.change_lesson_teachers(tx, school_id)
        removed = cancelled = 0
        if days[0] and days[1]:
            await importing.mark_gone_lessons(tx, school_id, days[0], days[1])
            cancelled = await importing.cancel_gone_lessons(tx, school_id, now)
            removed = await importing.remove_gone_lessons(tx, school_id)
        await record_change(tx, school_id, "lessons", [school_id])
        return Change(
            added=added,
            changed=changed,
            removed=removed,
            cancelled=cancelled,
            unchanged=sent - added - changed,
            outside=tally.outside,
            rejected=tally.rejected,
            rejections=tuple(tally.rejections),
        )

    async def _note(self, tx: Transaction, school_id: UUID, path: Path, change: Change) -> None:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        counts = msgspec.structs.asdict(change)
        del counts["rejections"]
        await record_audit(
            tx,
            self._ids.new(),
            school_id=school_id,
            at=self._clock.now(),
            person_id=None,
            verb="import timetable",
            subject_kind="school",
            subject_id=school_id,
            detail={"sha256": digest, **counts},
        )


async def cancel_lessons_of_retired_courses(tx: Transaction, event: CoursesRetired) -> None:
    """What was planned for a course that nobody follows any more does not take place; what was taught stays."""
    await queries.cancel_lessons_of(tx, event.school_id, event.course_ids, event.at)


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise InvalidError(f"The file has {size} bytes; at most {most} are read.")


class _Tally:
    """What became of each slot of a file."""

    def __init__(self, rejections_max: int) -> None:
        self._rejections_max = rejections_max
        self.rejections: list[Rejection] = []
        self.rejected = self.outside = self.sent = 0
        self.first: date | None = None
        self.last: date | None = None

    def reject(self, rejection: Rejection) -> None:
        """Count a rejection, and keep it while there are few."""
        self.rejected += 1
        if len(self.rejections) < self._rejections_max:
            self.rejections.append(rejection)

    def accepted(self, slots: Iterable[Slot | Rejection], directory: Directory, window: Window) -> Iterator[Planned]:
        """The slots within `window` that have a course and teachers."""
        for slot in slots:
            if isinstance(slot, Rejection):
                self.reject(slot)
            elif not window[0] <= slot.date <= window[1]:
                self.outside += 1
            else:
                found = directory.find(slot)
                if isinstance(found, Rejection):
                    self.reject(found)
                else:
                    self.sent += 1
                    self.first = min(self.first or slot.date, slot.date)
                    self.last = max(self.last or slot.date, slot.date)
                    yield found


@dataclass(frozen=True, slots=True)
class Notes:
    """What a teacher says of a lesson."""

    room: str
    public_note: str
    private_note: str


class LessonBook:
    """What the teachers of a lesson write and choose for it. Whoever calls has asked `access_taught_lesson` first."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._note_max = settings.lesson_note_chars_max
        self._room_max = settings.lesson_room_chars_max
        self._documents_max = settings.lesson_documents_max
        self._clock = clock

    async def write(self, tx: Transaction, lesson: Lesson, notes: Notes, by: UUID) -> None:
        """Keep the room and the notes.

        Raises:
            InvalidError: one of them is too long.
        """
        if max(len(notes.public_note), len(notes.private_note)) > self._note_max:
            raise InvalidError(mark("A note has at most %(most)s characters."), most=self._note_max)
        if len(notes.room) > self._room_max:
            raise InvalidError(mark("A room has at most %(most)s characters."), most=self._room_max)
        await queries.write_notes(
            tx,
            lesson,
            room=notes.room,
            public_note=notes.public_note,
            private_note=notes.private_note,
            at=self._clock.now(),
            by=by,
        )
        await _tell(tx, lesson)

    async def cancel(self, tx: Transaction, lesson: Lesson, by: UUID) -> None:
        """The lesson does not take place; it stays in the timetable, and says so."""
        await queries.set_cancelled(tx, lesson, self._clock.now(), by)
        await _tell(tx, lesson)

    async def restore(self, tx: Transaction, lesson: Lesson) -> None:
        """The lesson takes place after all."""
        await queries.set_cancelled(tx, lesson, None, None)
        await _tell(tx, lesson)

    async def attach(self, tx: Transaction, lesson: Lesson, document_ids: Sequence[UUID]) -> None:
        """Make documents of the course material of the lesson; those of other courses are left out.

        Raises:
            InvalidError: the lesson has as many documents as it may have.
        """
        present = (await queries.list_material(tx, [(lesson.school_id, lesson.id)])).get(lesson.id, ())
        wanted = set(document_ids) - {material.id for material in present}
        if len(present) + len(wanted) > self._documents_max:
            raise InvalidError(mark("A lesson has at most %(most)s documents."), most=self._documents_max)
        await queries.add_material(tx, lesson, sorted(wanted))
        await _tell(tx, lesson)

    async def detach(self, tx: Transaction, lesson: Lesson, document_id: UUID) -> None:
        """Take a document from the material; it stays in the folder of its course."""
        await queries.remove_material(tx, lesson, document_id)
        await _tell(tx, lesson)


async def _tell(tx: Transaction, lesson: Lesson) -> None:
    await record_change(tx, lesson.school_id, "lessons", [lesson.course_id])
