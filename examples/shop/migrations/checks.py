"""Checks that revisions call. Keep this file: old revisions import it."""

import re
from typing import Any

import sqlalchemy as sa
from alembic import context, op
from alembic.util import CommandError

# Patterns of option values, by their placeholder.
_PATTERNS = {"yes": "yes", "EMAIL": ".+@.+"}


def refuse_rows(table: str, condition: str) -> None:
    """Raise CommandError if any row of a table meets an SQL condition."""
    if count := _count(table, condition):
        msg = (
            f"rows in {table} ({count}) must be changed or deleted first, as the revision describes:"
            f" those with {condition}"
        )
        raise CommandError(msg)


def refuse_drop(column: str, tables: list[str], option: str, effect: str) -> None:
    """Raise CommandError if rows have a value in this column, unless run with `-x option=yes`.

    `effect` is the consequence for these rows, such as "would become visible". An option `delete-…`
    permanently deletes them instead; raises CommandError if other rows reference them.
    """
    quoted = op.get_bind().dialect.identifier_preparer.quote(column)
    found = count_rows(tables, f"{quoted} IS NOT NULL")
    if not found:
        return
    deletes = option.startswith("delete-")
    purpose = "to permanently delete them" if deletes else "to allow this"
    require_option(option, "yes", f"without {column}, rows ({found}) {effect}; {purpose},")
    if deletes:
        _delete(column, tables)


def require_option(name: str, placeholder: str, reason: str, default: str = "") -> str:
    """Return the value of `alembic -x name=…`, or the default.

    Raises CommandError with the reason and the placeholder if there is none, or it does not match.
    """
    given = context.get_x_argument(as_dictionary=True).get(name, "").strip() or default
    if not re.fullmatch(_PATTERNS.get(placeholder, ".+"), given):
        words = f"-x {name}={placeholder}"
        msg = f"{reason} run this with `{words}`, as in `uv run dev.py migrate {words}`"
        raise CommandError(msg)
    return given


def count_rows(tables: list[str], condition: str) -> str:
    """Return how many rows of each table meet an SQL condition, such as "2 in books", or ""."""
    counts = {table: _count(table, condition) for table in tables}
    return ", ".join(f"{count} in {table}" for table, count in counts.items() if count)


def _count(table: str, condition: str) -> int:
    if context.is_offline_mode():
        msg = "this revision checks rows, so it cannot be written as SQL: run it without --sql"
        raise CommandError(msg)
    rows = sa.select(sa.func.count()).select_from(sa.table(table))
    return op.get_bind().scalar(rows.where(sa.literal_column(condition))) or 0


def _delete(column: str, tables: list[str]) -> None:
    """Delete the rows that have a value in this column, child rows first."""
    connection = op.get_bind()
    metadata = sa.MetaData()
    metadata.reflect(connection)
    deleted = {
        table: sa.select(table.c.id).where(table.c[column].is_not(None))
        for table in reversed(metadata.sorted_tables)
        if table.name in tables
    }
    if blocking := _blocking_references(connection, metadata, deleted, column):
        msg = (
            f"rows with {column} are referenced by rows without it: {', '.join(blocking)}; delete"
            " these first, or clear the references"
        )
        raise CommandError(msg)
    for table, rows in deleted.items():
        connection.execute(sa.delete(table).where(table.c.id.in_(rows)))


def _blocking_references(
    connection: sa.Connection,
    metadata: sa.MetaData,
    deleted: dict[sa.Table, sa.Select[Any]],
    column: str,
) -> list[str]:
    """Return the references that the deletion would break, at most ten for each foreign key."""
    found = []
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            table = key.column.table
            if table not in deleted or (key.ondelete or "").upper() in {"CASCADE", "SET NULL"}:
                continue
            rows = sa.select(key.parent, *other.primary_key).where(key.parent.in_(deleted[table]))
            if other in deleted:
                rows = rows.where(other.c[column].is_(None))
            for parent, *ids in connection.execute(rows.order_by(*other.primary_key).limit(10)):
                row = f"{other.name} {', '.join(map(str, ids))}"
                found.append(f"{row} references {table.name} {parent}")
    return found
