"""The soft-deletable tables and the foreign keys between them."""

from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event, orm
from sqlalchemy.schema import sort_tables_and_constraints

# Each soft-deletable table with its class.
CLASSES: dict[sa.Table, type[Any]] = {}


def register(mapper: orm.Mapper[Any], mixin: type) -> None:
    """Register a class that has the mixin; raises TypeError if it cannot be soft-deleted."""
    name, base = mapper.class_.__name__, mapper.base_mapper
    if not issubclass(base.class_, mixin):
        msg = f"{name}: add {mixin.__name__} to its base class {base.class_.__name__}"
        raise TypeError(msg)
    table = mapper.local_table
    if not isinstance(table, sa.Table) or table is not base.local_table:
        msg = f"{name}: soft delete does not support joined inheritance; use a single table"
        raise TypeError(msg)
    if len(table.primary_key) != 1:
        msg = f"{name}: soft delete does not support composite primary keys; use one integer column"
        raise TypeError(msg)
    CLASSES[table] = base.class_


@event.listens_for(orm.Mapper, "after_configured")
def _check() -> None:
    """Check the foreign keys of all classes mapped so far."""
    references_to.cache_clear()
    references_from.cache_clear()
    for table in CLASSES:
        for other in table.metadata.tables.values():
            for key in other.foreign_key_constraints:
                targets = [element.column for element in key.elements]
                if key.referred_table is table and targets != list(table.primary_key):
                    msg = (
                        f"{other.name}: foreign keys to {table.name}, which is soft-deletable,"
                        " must reference its primary key"
                    )
                    raise TypeError(msg)


def table_of(model: type[Any]) -> sa.Table:
    """Return the table of a class."""
    return cast("sa.Table", sa.inspect(model).local_table)


def id_of(table: sa.Table) -> sa.Column[Any]:
    """Return the primary key column of a soft-deletable table."""
    (column,) = table.primary_key
    return column


@cache
def references_to(table: sa.Table) -> tuple[sa.ForeignKey, ...]:
    """Return the foreign keys that reference a table."""
    return tuple(
        key
        for other in table.metadata.tables.values()
        for column in other.columns
        for key in column.foreign_keys
        if key.column.table == table
    )


@cache
def references_from(table: sa.Table) -> tuple[sa.ForeignKey, ...]:
    """Return the foreign keys of a table that reference soft-deletable tables.

    Parents come before their children: rows locked in this order cannot deadlock with a deletion.
    """
    keys = [key for column in table.columns for key in column.foreign_keys]
    tables = table.metadata.tables.values()
    order = [each for each, _ in sort_tables_and_constraints(tables)]  # type: ignore[no-untyped-call]
    found = (key for key in keys if key.column.table in CLASSES)
    return tuple(sorted(found, key=lambda key: order.index(key.column.table)))


def cascades(key: sa.ForeignKey) -> bool:
    """Whether child rows are deleted along with their parent."""
    return (key.ondelete or "").upper() == "CASCADE"


def restricts(key: sa.ForeignKey) -> bool:
    """Whether child rows prevent the deletion of their parent."""
    return (key.ondelete or "NO ACTION").upper() in {"NO ACTION", "RESTRICT"}
