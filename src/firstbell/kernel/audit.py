"""Who saw or changed what is sensitive: rows that nobody changes, kept by month."""

from datetime import datetime
from uuid import UUID

from firstbell.kernel.db import Transaction


async def record_audit(
    tx: Transaction,
    entry_id: UUID,
    *,
    school_id: UUID,
    at: datetime,
    person_id: UUID | None,
    verb: str,
    subject_kind: str,
    subject_id: UUID,
) -> None:
    """Note, in the transaction that does it, that a person did `verb` to a subject; None is the operator's shell."""
    await tx.execute(
        """
        INSERT INTO audit (school_id, at, id, person_id, verb, subject_kind, subject_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        school_id,
        at,
        entry_id,
        person_id,
        verb,
        subject_kind,
        subject_id,
    )
