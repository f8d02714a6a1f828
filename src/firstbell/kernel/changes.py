"""What every worker must hear of. NATS hints, PostgreSQL decides: the rows of `change` are numbered in the order of
their commits, and each worker follows their tail."""

from collections.abc import Sequence
from uuid import UUID

from firstbell.kernel.db import Transaction

SUBJECT = "changes"
"""The subject on the bus that says: read the tail now."""


async def record_change(tx: Transaction, school_id: UUID, kind: str, subject_ids: Sequence[UUID]) -> None:
    """Tell every worker, once `tx` commits, that `subject_ids` are not what they were.

    Writers of changes wait for each other until they commit: let this be the last thing that a long action does.
    """
    await tx.execute(
        "INSERT INTO change (school_id, kind, subject_id) SELECT $1, $2, unnest($3::uuid[])",
        school_id,
        kind,
        list(subject_ids),
    )
