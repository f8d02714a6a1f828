"""What the kernel's own tables need at night: as long as their comments say that rows are kept, and no longer."""

from firstbell.kernel.jobs import Schedule, Work, forget_finished

AUDIT_MONTHS_AHEAD = 3
"""Partitions that wait: nights may fail for a season before rows go to the default partition."""

AUDIT_MONTHS_KEPT = 24


async def keep_audit(work: Work) -> None:
    """Make the partitions of the coming months and drop those of which every row is past its retention."""
    async with work.pool.begin() as tx:
        await tx.execute("SELECT keep_audit_partitions($1, $2)", AUDIT_MONTHS_AHEAD, AUDIT_MONTHS_KEPT)


async def forget_changes(work: Work) -> None:
    """Remove changes that every worker has read long ago."""
    async with work.pool.begin() as tx:
        await tx.execute("DELETE FROM change WHERE at < now() - interval '1 day'")


# In UTC, when no school of ours is awake; minutes apart, so that one night's work does not compete with itself.
SCHEDULES = (
    Schedule("keep-audit", "5 1 * * *", keep_audit),
    Schedule("forget-changes", "10 1 * * *", forget_changes),
    Schedule("forget-finished-jobs", "15 1 * * *", forget_finished),
)
