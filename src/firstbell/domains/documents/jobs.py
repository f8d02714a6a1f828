"""What documents need at night: the bin is emptied, and bytes that nobody wants any more go."""

from uuid import UUID

import structlog

from firstbell.domains.documents import actions
from firstbell.domains.people import queries as people
from firstbell.kernel.blobs import Blobs
from firstbell.kernel.errors import FirstbellError
from firstbell.kernel.jobs import Schedule, Work

log = structlog.get_logger("firstbell.documents")

_ROUNDS_MAX = 100
"""With a thousand rows in each: what a night does not finish, the next one does."""


async def empty_bins(work: Work) -> None:
    """Remove for good what has been in the bins of all schools long enough."""
    for school_id in await _schools(work):
        for _ in range(_ROUNDS_MAX):
            async with work.in_school(school_id) as tx:
                removed = await actions.empty_bin(tx, school_id, at=work.clock.now(), settings=work.settings)
            if removed == 0:
                break


async def remove_blobs(work: Work) -> None:
    """Remove the bytes that no document has had for long enough, each in a transaction of its own."""
    blobs = Blobs.open(work.settings)
    try:
        for school_id in await _schools(work):
            await _remove_blobs_of(work, blobs, school_id)
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


async def _schools(work: Work) -> list[UUID]:
    async with work.pool.begin(reading_only=True) as tx:
        return [school.id for school, _ in await people.list_schools(tx)]


# In UTC, after the kernel's own, and in this order: what leaves the bin is noted as unwanted the same night.
SCHEDULES = (
    Schedule("empty-bins", "20 1 * * *", empty_bins),
    Schedule("remove-blobs", "40 1 * * *", remove_blobs),
)
