"""What people need at night: sessions and codes that are long over are forgotten."""

from datetime import timedelta

from firstbell.domains.people import queries
from firstbell.kernel.jobs import Schedule, Work

SESSION_KEPT = timedelta(days=30)
CODE_KEPT = timedelta(days=90)
_ROWS_MAX = 10_000
"""Per statement, so that no night holds locks for long; the next rounds do the rest."""


async def forget_sessions(work: Work) -> None:
    """Remove the sessions of all schools that ended long ago, and the activation codes that nobody can use."""
    now = work.clock.now()
    async with work.pool.begin(reading_only=True) as tx:
        schools = [school.id for school, _ in await queries.list_schools(tx)]
    for school_id in schools:
        removed = _ROWS_MAX
        while removed == _ROWS_MAX:
            async with work.in_school(school_id) as tx:
                removed = await queries.forget_sessions(tx, school_id, before=now - SESSION_KEPT, most=_ROWS_MAX)
        async with work.in_school(school_id) as tx:
            await queries.forget_activation_codes(tx, school_id, before=now - CODE_KEPT)


SCHEDULES = (Schedule("forget-sessions", "25 1 * * *", forget_sessions),)
