"""Permanently delete rows."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from app.clock import utcnow
from app.db.soft_delete.physical import HARD_DELETE, refuse_table
from app.db.soft_delete.references import (
    CLASSES,
    cascades,
    id_of,
    references_to,
    restricts,
    table_of,
)


def hard_delete(session: orm.Session, model: type[Any], key: Any) -> bool:
    """Permanently delete a row, deleted or not; foreign keys decide what happens to its child rows.

    Return False if it does not exist.
    """
    session.flush()
    return bool(_delete(session, model, [key]))


def purge(
    session: orm.Session,
    model: type[Any],
    older_than: dt.datetime | dt.timedelta,
    batch: int = 1000,
) -> int:
    """Permanently delete rows soft-deleted before a time, or longer ago than a timedelta.

    Return the number of rows, at most `batch`, oldest first: commit, and call it again until it
    returns 0. Rows that others still reference by CASCADE or RESTRICT are kept, so purge child rows
    first. Locked rows are skipped, so purges can run concurrently with traffic and each other.
    """
    if isinstance(older_than, dt.timedelta):
        older_than = utcnow() - older_than
    table = table_of(model)
    unused = (
        sa.select(id_of(table))
        .select_from(model)
        .where(model.deleted_at < older_than)
        .where(*(~_is_referenced(key) for key in references_to(table) if _keeps(key)))
        .with_for_update(skip_locked=True, of=table)
        .execution_options(include_deleted=True)
    )
    keys = session.scalars(unused.order_by(model.deleted_at).limit(batch)).all()
    if keys:
        # A reference may have been inserted before these rows were locked, but none from now on.
        keys = session.scalars(unused.where(id_of(table).in_(keys))).all()
    return len(_delete(session, model, keys)) if keys else 0


def blocking_references(
    session: orm.Session, model: type[Any], older_than: dt.datetime, limit: int = 10
) -> list[str]:
    """Describe what keeps rows that were deleted before a time from being purged.

    Return a line with the ids for each referenced row, at most `limit` for each foreign key.
    """
    table, found = table_of(model), []
    for key in filter(_keeps, references_to(table)):
        child, condition = _children(key)
        rows = (
            sa.select(id_of(table), *child.primary_key)
            .join(child, condition)
            .where(table.c.deleted_at < older_than)
            .order_by(id_of(table), *child.primary_key)
            .limit(limit)
            .execution_options(include_deleted=True)
        )
        for parent_id, *ids in session.execute(rows):
            by = ", ".join(map(str, ids))
            found.append(f"{table.name} {parent_id} is referenced by {key.parent.table.name} {by}")
    return found


def _delete(session: orm.Session, model: type[Any], keys: Sequence[Any]) -> Sequence[Any]:
    column = id_of(table_of(model))
    statement = sa.delete(model).where(column.in_(keys)).returning(column)
    options = {**HARD_DELETE, "synchronize_session": "fetch"}
    return session.scalars(statement, execution_options=options).all()


def _keeps(key: sa.ForeignKey) -> bool:
    """Whether rows that are referenced by a foreign key cannot be deleted."""
    if cascades(key) and key.parent.table not in CLASSES:
        refuse_table(key.parent.table)
        return False
    return cascades(key) or restricts(key)


def _is_referenced(key: sa.ForeignKey) -> sa.ColumnElement[bool]:
    child, condition = _children(key)
    return sa.exists().select_from(child).where(condition).correlate(key.column.table)


def _children(key: sa.ForeignKey) -> tuple[sa.FromClause, sa.ColumnElement[bool]]:
    """Return an alias of the referencing table, and the condition that its rows reference others."""
    child, parent = key.parent.table.alias(), key.column.table
    condition = child.c[key.parent.name] == key.column
    if key.parent.table is parent:
        condition &= child.c[id_of(parent).name] != id_of(parent)
    return child, condition
