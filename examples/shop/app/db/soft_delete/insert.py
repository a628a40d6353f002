"""Insert rows, and lock the live rows that an insert or update references."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm

from app.db.errors import MissingReferenceError
from app.db.soft_delete.references import references_from, table_of

M = TypeVar("M", bound=orm.DeclarativeBase)


class NotLiveError(MissingReferenceError):
    """Referenced rows are deleted or do not exist."""

    def __init__(self, keys: Sequence[sa.ForeignKey]) -> None:
        """Name the table and the columns of the references."""
        super().__init__(keys[0].parent.table.name, tuple(key.parent.name for key in keys))


def insert(session: orm.Session, model: type[M], values: Mapping[str, Any]) -> M:
    """Insert a row and lock the rows that it references against deletion, in one statement.

    This bypasses the unit of work, its events and `@validates`, for speed. Raises
    NotLiveError if a referenced row is deleted or does not exist.
    """
    session.flush()
    given = tuple(each for each in _references(model) if values.get(each[0]) is not None)
    statement = _insert(model, tuple(values), given)
    row: M | None = session.scalar(statement, values)
    if row is None:
        require_parents(session, model, values)
        # They were restored in the meantime, and are locked now.
        inserted: M = session.scalars(statement, values).one()
        return inserted
    return row


def require_parents(
    session: orm.Session, model: type[orm.DeclarativeBase], values: Mapping[str, Any]
) -> None:
    """Lock the rows that these values reference against deletion, until the transaction ends.

    Raises NotLiveError if one of them is deleted or does not exist.
    """
    missing = []
    for name, key in _references(model):
        value = values.get(name)
        if value is not None and session.scalar(_lock(key), {"id": value}) is None:
            missing.append(key)
    if missing:
        raise NotLiveError(missing)


@cache
def _references(model: type[orm.DeclarativeBase]) -> list[tuple[str, sa.ForeignKey]]:
    """Return the foreign keys to soft-deletable tables, with the names of their attributes."""
    attribute = sa.inspect(model).get_property_by_column
    return [(attribute(key.parent).key, key) for key in references_from(table_of(model))]


@cache
def _lock(key: sa.ForeignKey) -> sa.Select[Any]:
    # FOR SHARE waits for a deletion, and a deletion waits for it. With a weaker lock, such as that
    # of the foreign key itself, a row could be inserted while its parent is being deleted.
    table = key.column.table
    found = sa.select(sa.literal(1)).where(key.column == sa.bindparam("id"))
    found = found.where(table.c.deleted_at.is_(None)).with_for_update(read=True)
    return found.execution_options(include_deleted=True)


@lru_cache(1000)
def _insert(
    model: type[M], names: tuple[str, ...], given: tuple[tuple[str, sa.ForeignKey], ...]
) -> Any:
    """Build `INSERT … SELECT :title, :author_id FROM users WHERE … FOR SHARE RETURNING …`."""
    columns = sa.inspect(model).columns
    new = {columns[name]: sa.bindparam(name, type_=columns[name].type) for name in names}
    statement = sa.insert(model)
    if given:
        parents = _live_parents(given)
        statement = statement.from_select(list(new), parents.with_only_columns(*new.values()))
    else:
        statement = statement.values(new)
    # Faster than an ORM INSERT … RETURNING.
    return sa.select(model).from_statement(statement.returning(model))


def _live_parents(given: tuple[tuple[str, sa.ForeignKey], ...]) -> sa.Select[Any]:
    parents = [(name, key, key.column.table.alias()) for name, key in given]
    source: sa.FromClause = parents[0][2]
    for _, _, parent in parents[1:]:
        source = source.join(parent, sa.true())
    rows = sa.select(sa.literal(1)).select_from(source).with_for_update(read=True)
    for name, key, parent in parents:
        rows = rows.where(parent.c[key.column.name] == sa.bindparam(name))
        rows = rows.where(parent.c.deleted_at.is_(None))
    return rows
