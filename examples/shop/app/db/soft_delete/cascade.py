"""Delete and restore rows together with their child rows."""

import datetime as dt
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import attributes

from app.clock import utcnow
from app.db.soft_delete.references import (
    CLASSES,
    cascades,
    id_of,
    references_from,
    references_to,
    restricts,
    table_of,
)

M = TypeVar("M")

# Ids per statement, below the parameter limits of the database drivers.
_BATCH = 1000


class StillReferencedError(Exception):
    """A live row references a row to delete."""

    def __init__(self, key: sa.ForeignKey) -> None:
        """Name the foreign key that prevents the deletion."""
        self.table = key.parent.table.name
        self.columns = (key.parent.name,)
        super().__init__(f"rows of {self.table} still reference it by {key.parent.name}")


class ParentDeletedError(Exception):
    """A row to restore belongs to a deleted row."""

    def __init__(self, key: sa.ForeignKey) -> None:
        """Name the table of the deleted row and the column that references it."""
        self.table = key.column.table.name
        self.columns = (key.parent.name,)
        super().__init__(f"its parent in {self.table} is deleted; restore that first")


def delete(
    session: orm.Session,
    model: type[Any],
    key: Any,
    condition: sa.ColumnElement[bool] | None = None,
) -> bool:
    """Soft-delete a row and, through ON DELETE CASCADE foreign keys, its child rows.

    Return False if no live row has this key and meets the condition. SET NULL references are kept,
    so that `restore` is exact. Raises StillReferencedError, and deletes nothing, if a live row
    references one of the rows by a RESTRICT foreign key.
    """
    session.flush()
    table = table_of(model)
    change = _Change(before=None, after=_clock.now())
    if not _set_deleted_at(session, id_of(table), [key], change, condition):
        return False
    deleted = _set_children(session, table, key, change)
    for each, keys in deleted:
        for reference in filter(restricts, references_to(each)):
            if session.scalar(_find_child(reference), {"_keys": keys}):
                # Cheaper than a savepoint in every deletion; the rows are locked.
                for undone, ids in deleted:
                    _set_deleted_at(session, id_of(undone), ids, _Change(change.after, None))
                raise StillReferencedError(reference)
    return True


def restore(
    session: orm.Session,
    model: type[M],
    key: Any,
    condition: sa.ColumnElement[bool] | None = None,
) -> M | None:
    """Restore a row and everything deleted with it, but nothing that was deleted separately.

    Return the row, or None if no row has this key and meets the condition; a live row is left
    alone. Raises ParentDeletedError if one of the rows belongs to a deleted row, and IntegrityError
    if a live row has one of their unique values; nothing is restored then.
    """
    session.flush()
    table = table_of(model)
    row = sa.select(table.c.deleted_at).where(id_of(table) == key).with_for_update()
    if condition is not None:
        row = row.where(condition)
    found = session.execute(row, execution_options={"include_deleted": True}).one_or_none()
    if found is None:
        return None
    if found.deleted_at is not None:
        change = _Change(before=found.deleted_at, after=None)
        with session.begin_nested():
            _set_deleted_at(session, id_of(table), [key], change)
            for child, keys in _set_children(session, table, key, change):
                for reference in references_from(child):
                    if cascades(reference) or restricts(reference):
                        parents = session.scalars(_lock_parents(reference), {"_keys": keys})
                        if any(parents.all()):
                            raise ParentDeletedError(reference)
    return session.get(model, key, populate_existing=True)


class _Clock:
    """A strictly increasing clock, so that a timestamp identifies one deletion of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = utcnow()

    def now(self) -> dt.datetime:
        with self._lock:
            self._last = max(utcnow(), self._last + dt.timedelta(microseconds=1))
            return self._last


_clock = _Clock()


class _Change(NamedTuple):
    """A change of `deleted_at`."""

    before: dt.datetime | None
    after: dt.datetime | None


def _set_children(
    session: orm.Session, table: sa.Table, key: Any, change: _Change
) -> list[tuple[sa.Table, Sequence[Any]]]:
    """Make the same change to a row's child rows, level by level.

    Return the ids of the row and of all child rows changed, in batches, each with its table.
    """
    changed: list[tuple[sa.Table, Sequence[Any]]] = [(table, [key])]
    for parent, keys in changed:
        for reference in filter(cascades, references_to(parent)):
            child = reference.parent.table
            if child in CLASSES:
                ids = _set_deleted_at(session, reference.parent, keys, change)
                starts = range(0, len(ids), _BATCH)
                changed.extend((child, ids[start : start + _BATCH]) for start in starts)
    return changed


def _set_deleted_at(
    session: orm.Session,
    column: sa.Column[Any],
    keys: Sequence[Any],
    change: _Change,
    condition: sa.ColumnElement[bool] | None = None,
) -> Sequence[Any]:
    """Change `deleted_at` of the rows that have one of these keys in a column; return their ids."""
    statement = _update(column, is_live=change.before is None)
    if condition is not None:
        statement = statement.where(condition)
    parameters = {"_keys": keys, "_before": change.before, "_after": change.after}
    ids = session.scalars(statement, parameters).all()
    if session.identity_map:
        mapper = sa.inspect(CLASSES[column.table])
        for each in ids:
            row = session.identity_map.get(mapper.identity_key_from_primary_key((each,)))
            if row is not None:
                attributes.set_committed_value(row, "deleted_at", change.after)
                # Makes the rollback of a savepoint expire it; a flush finds nothing to update.
                attributes.flag_dirty(row)
    return ids


@cache
def _update(column: sa.Column[Any], *, is_live: bool) -> Any:
    model = CLASSES[column.table]
    # Not named like columns: an UPDATE would set columns to parameters of the same name.
    before = sa.bindparam("_before", type_=model.deleted_at.type)
    after = sa.bindparam("_after", type_=model.deleted_at.type)
    # The row itself does not change: columns with an onupdate keep their values.
    properties = sa.inspect(model).column_attrs
    columns = ((each.class_attribute, each.columns[0]) for each in properties)
    kept = [attribute for attribute, column in columns if getattr(column, "onupdate", None)]
    return (
        sa.update(model)
        .where(_in_keys(column))
        .where(model.deleted_at.is_(None) if is_live else model.deleted_at == before)
        .values({**{attribute: attribute for attribute in kept}, model.deleted_at: after})
        .returning(id_of(column.table))
        .execution_options(include_deleted=True, synchronize_session=False)
    )


@cache
def _find_child(reference: sa.ForeignKey) -> sa.Select[Any]:
    """Build the query for a live row that references any of these rows."""
    table = reference.parent.table
    found = sa.select(sa.literal(1)).where(_in_keys(reference.parent)).limit(1)
    if table in CLASSES:
        found = found.where(table.c.deleted_at.is_(None))
    return found.execution_options(include_deleted=True)


@cache
def _lock_parents(reference: sa.ForeignKey) -> sa.Select[Any]:
    """Build the query that locks the rows these rows reference and selects `deleted_at`."""
    child, parent = reference.parent.table.alias(), reference.column.table
    values = sa.select(child.c[reference.parent.name])
    values = values.where(_in_keys(child.c[id_of(reference.parent.table).name]))
    # FOR SHARE makes a deletion of the parent wait until it can see these rows.
    parents = sa.select(parent.c.deleted_at).where(reference.column.in_(values))
    return parents.with_for_update(read=True).execution_options(include_deleted=True)


def _in_keys(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return column.in_(sa.bindparam("_keys", expanding=True))
