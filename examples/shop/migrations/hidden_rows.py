"""Called by revisions that drop a column which hides rows. Keep this file: old revisions import it."""

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from alembic.util import CommandError


def leave_no_hidden_rows(column: str, tables: list[str]) -> None:
    """Check that no row of these tables has this column set, so that it can be dropped.

    With `alembic -x delete-hidden=yes`, such rows are permanently deleted. Raises CommandError if
    there are any without it, or if other rows reference them.
    """
    connection = op.get_bind()
    metadata = sa.MetaData()
    metadata.reflect(connection)
    hidden = {
        table: sa.select(table.c.id).where(table.c[column].is_not(None))
        # Child rows first.
        for table in reversed(metadata.sorted_tables)
        if table.name in tables
    }
    counts = {
        table.name: connection.scalar(sa.select(sa.func.count()).select_from(rows.subquery()))
        for table, rows in hidden.items()
    }
    found = ", ".join(f"{count} in {name}" for name, count in counts.items() if count)
    if not found:
        return
    if context.get_x_argument(as_dictionary=True).get("delete-hidden") != "yes":
        msg = (
            f"rows with {column} set ({found}) would become visible; to permanently delete them,"
            " run this with `-x delete-hidden=yes`, as in `dev.py migrate -x delete-hidden=yes`"
        )
        raise CommandError(msg)
    blocking = _blocking_references(connection, metadata, hidden, column)
    if blocking:
        msg = (
            f"rows with {column} set are referenced by rows without it: {', '.join(blocking)};"
            " delete these first, or clear the references"
        )
        raise CommandError(msg)
    for table, rows in hidden.items():
        connection.execute(sa.delete(table).where(table.c.id.in_(rows)))


def _blocking_references(
    connection: sa.Connection,
    metadata: sa.MetaData,
    hidden: dict[sa.Table, sa.Select[Any]],
    column: str,
) -> list[str]:
    """Return the references that the deletion would break, at most ten for each foreign key."""
    found = []
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            table = key.column.table
            if table not in hidden or (key.ondelete or "").upper() in {"CASCADE", "SET NULL"}:
                continue
            rows = sa.select(key.parent, *other.primary_key).where(key.parent.in_(hidden[table]))
            if other in hidden:
                rows = rows.where(other.c[column].is_(None))
            for parent, *ids in connection.execute(rows.order_by(*other.primary_key).limit(10)):
                row = f"{other.name} {', '.join(map(str, ids))}"
                found.append(f"{row} references {table.name} {parent}")
    return found
