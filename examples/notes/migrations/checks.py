"""Checks that revisions call. Keep this file: old revisions import it."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError


def refuse_rows(table: str, condition: str) -> None:
    """Raise CommandError if any row of a table meets an SQL condition."""
    rows = sa.select(sa.func.count()).select_from(sa.table(table))
    count = op.get_bind().scalar(rows.where(sa.literal_column(condition)))
    if count:
        msg = (
            f"rows in {table} ({count}) must be changed or deleted first, as the revision describes:"
            f" those with {condition}"
        )
        raise CommandError(msg)
