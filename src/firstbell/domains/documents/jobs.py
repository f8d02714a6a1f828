"""What documents need at night: the bin is emptied, and bytes that nobody wants any more go."""

from uuid import UUID

import structlog

from firstbell.domains.documents import actions
from firstbell.domains.people.jobs import enqueue_for_every_school
from firstbell.kernel.blobs import Blobs
from firstbell.kernel.errors import FirstbellError
from firstbell.kernel.jobs import Job, Payload, Schedule, Work

log = structlog.get_logger("firstbell.documents")

_ROUNDS_MAX = 100
"""With a thousand rows in each: what a night does not finish, the next one does."""


class EmptyBin(Payload, frozen=True, tag="empty-bin-of-school"):
    """Remove for good what has been in the bins of a school long enough."""


class RemoveBlobs(Payload, frozen=True, tag="remove-blobs-of-school"):
    """Remove the bytes that no document of a school has had for long enough."""


async def empty_bin(work: Work, told: EmptyBin) -> None:
    """Do it, in transactions of a thousand rows."""
    for _ in range(_ROUNDS_MAX):
        async with work.in_school(told.school_id) as tx:
            removed = await actions.empty_bin(tx, told.school_id, at=work.clock.now(), settings=work.settings)
        if removed == 0:
            break


async def remove_blobs(work: Work, told: RemoveBlobs) -> None:
    """Do it, each blob in a transaction of its own."""
    blobs = Blobs.open(work.settings)
    try:
        await _remove_blobs_of(work, blobs, told.school_id)
    finally:
        blobs.close()


async def _remove_blobs_of(work: Work, blobs: Blobs, school_id: UUID) -> None:
    at, settings = work.clock.now(), work.settings
    async with work.in_school(school_id) as tx:
        unwanted = await actions.find_unreferenced_blobs(tx, school_id, at=at, settings=settings)
    for sha256 in unwanted:
        try:
            async with work.in_school(school_id) as tx:
                await actions.remove_blob(tx, blobs, school_id, sha256, at=at, settings=settings)
        except FirstbellError as error:
            # The store is down: this school's blobs wait for the next night, as they may.
            log.warning("blobs not removed", school=school_id.hex, exc_info=error)
            return


async def begin_emptying_bins(work: Work) -> None:
    """Enqueue it for every school."""
    await enqueue_for_every_school(work, EmptyBin)


async def begin_removing_blobs(work: Work) -> None:
    """Enqueue it for every school."""
    await enqueue_for_every_school(work, RemoveBlobs)


JOBS = (Job(EmptyBin, empty_bin), Job(RemoveBlobs, remove_blobs))
# In UTC, after the kernel's own, and in this order: what leaves the bin is noted as unwanted the same night.
SCHEDULES = (
    Schedule("empty-bins", "30 1 * * *", begin_emptying_bins),
    Schedule("remove-blobs", "40 1 * * *", begin_removing_blobs),
)
