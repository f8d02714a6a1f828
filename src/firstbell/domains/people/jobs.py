"""What people need at night: sessions and codes that are long over are forgotten."""

from datetime import timedelta

from firstbell.domains.people import queries
from firstbell.kernel.jobs import Job, Payload, Schedule, Work, enqueue, job_name

SESSION_KEPT = timedelta(days=30)
CODE_KEPT = timedelta(days=90)
_ROWS_MAX = 10_000
"""Per statement, so that no night holds locks for long; the next rounds do the rest."""


class ForgetSessions(Payload, frozen=True, tag="forget-sessions-of-school"):
    """Remove what is long over in one school."""


async def enqueue_for_every_school(work: Work, kind: type[Payload]) -> None:
    """Have a job of this kind run for each school: one that fails is tried again and keeps no other waiting."""
    async with work.pool.begin() as tx:
        for school, _ in await queries.list_schools(tx):
            await enqueue(tx, kind(school_id=school.id), once=f"{job_name(kind)} {school.id}")


async def forget_sessions(work: Work, told: ForgetSessions) -> None:
    """Remove the sessions that ended long ago, and the activation codes that nobody can use."""
    now, removed = work.clock.now(), _ROWS_MAX
    while removed == _ROWS_MAX:
        async with work.in_school(told.school_id) as tx:
            removed = await queries.forget_sessions(tx, told.school_id, before=now - SESSION_KEPT, most=_ROWS_MAX)
    async with work.in_school(told.school_id) as tx:
        await queries.forget_activation_codes(tx, told.school_id, before=now - CODE_KEPT)


async def begin_forgetting_sessions(work: Work) -> None:
    """Enqueue it for every school."""
    await enqueue_for_every_school(work, ForgetSessions)


JOBS = (Job(ForgetSessions, forget_sessions),)
SCHEDULES = (Schedule("forget-sessions", "25 1 * * *", begin_forgetting_sessions),)
