"""Who saw or changed what is sensitive: rows that nobody changes, kept by month."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
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
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note, in the transaction that does it, that a person did `verb` to a subject; None is the operator's shell.

    `detail` has what else there is to say, in words and numbers; never what is sensitive itself.
    """
    await tx.execute(
        """
        INSERT INTO audit (school_id, at, id, person_id, verb, subject_kind, subject_id, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        school_id,
        at,
        entry_id,
        person_id,
        verb,
        subject_kind,
        subject_id,
        dict(detail or {}),
    )
