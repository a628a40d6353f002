"""Refuse statements that would permanently delete soft-deletable rows."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc, orm
from sqlalchemy.ext.compiler import compiles

from app.db.soft_delete.references import CLASSES, cascades, references_to

# Execution options of statements that may do so.
HARD_DELETE = {"include_deleted": True, "hard_delete": True}


def refuse(statement: sa.Executable, options: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError if a statement is a DELETE that reaches soft-deletable rows."""
    if isinstance(statement, orm.FromStatement):
        statement = statement.element
    if isinstance(statement, sa.Delete) and "hard_delete" not in options:
        refuse_table(statement.table)


def refuse_table(table: sa.FromClause) -> None:
    """Raise InvalidRequestError if deleting from a table reaches soft-deletable rows."""
    reached = [table] if isinstance(table, sa.Table) else []
    for each in reached:
        if each in CLASSES:
            msg = (
                f"this would permanently delete rows of {each.name}, which are soft-deletable: use"
                " delete, hard_delete or purge of app.db.soft_delete"
            )
            raise exc.InvalidRequestError(msg)
        children = (key.parent.table for key in references_to(each) if cascades(key))
        reached += [child for child in children if child not in reached]


@event.listens_for(orm.Mapper, "before_delete")
def _refuse_flush(mapper: orm.Mapper[Any], _connection: sa.Connection, _row: object) -> None:
    for table in mapper.tables:
        refuse_table(table)


@compiles(sa.Delete)
def _refuse_cte(statement: sa.Delete, compiler: Any, **options: Any) -> Any:
    # Called when a statement is not found in the cache of compiled statements.
    if options.get("visiting_cte") is not None:
        refuse_table(statement.table)
    return compiler.visit_delete(statement, **options)
