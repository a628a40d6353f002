"""Database errors, expressed in terms of tables and columns."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import CheckConstraint
from sqlalchemy.exc import IntegrityError

from app.db.base import Base


def words(model: type[Base]) -> str:
    """Return the name of a model as words: `order line` for OrderLine."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", model.__name__).lower()


class NotFoundError(Exception):
    """The row does not exist."""

    def __init__(self, model: type[Base]) -> None:
        """Name the model of the row."""
        super().__init__(f"{words(model).capitalize()} not found.")


class PreconditionFailedError(Exception):
    """The row has another version than the request expects."""

    def __init__(self, model: type[Base]) -> None:
        """Name the model of the row."""
        super().__init__(f"This {words(model)} was changed by another request.")


class MissingReferenceError(Exception):
    """A row references one that does not exist."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        """Name the table of the row and the columns of the reference."""
        super().__init__(f"{', '.join(columns)} of {table} refers to a row that does not exist")
        self.table = table
        self.columns = columns


class InvalidCursorError(Exception):
    """The cursor is damaged, or belongs to another query."""


@dataclass(frozen=True)
class Violation:
    """A constraint violation and its columns."""

    kind: Literal["unique", "check", "missing_reference", "still_referenced"]
    table: str
    columns: tuple[str, ...]


_WRITTEN_TABLE = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)')
_REFERENCED = (
    "SQLITE_CONSTRAINT_FOREIGNKEY",
    "SQLITE_CONSTRAINT_TRIGGER",
    "SQLITE_CONSTRAINT_CHECK",
)


def violation_of(error: IntegrityError) -> Violation | None:
    """Return the violation by SQLite's extended error code, or None for an unexpected error."""
    code = getattr(error.orig, "sqlite_errorname", "")
    statement = error.statement or ""
    match = _WRITTEN_TABLE.match(statement)
    table = match[1] if match else ""
    if code in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"):
        # SQLite names the columns here, as `table.column, table.column`, and nowhere else.
        columns = re.findall(rf"\b{table}\.(\w+)", str(error.orig))
        return Violation("unique", table, tuple(columns))
    deleting = statement.startswith("DELETE")
    if code == "SQLITE_CONSTRAINT_FOREIGNKEY" and not deleting:
        return Violation("missing_reference", table, _references(table))
    if code == "SQLITE_CONSTRAINT_CHECK" and not deleting:
        constraint = str(error.orig).removeprefix("CHECK constraint failed: ")
        return Violation("check", table, _columns(table, constraint))
    # A deletion violates a CHECK constraint by setting references to NULL.
    if code in _REFERENCED:
        return Violation("still_referenced", table, ())
    return None


def _references(table_name: str) -> tuple[str, ...]:
    """Return the table's foreign key columns: SQLite does not say which of them failed."""
    table = Base.metadata.tables.get(table_name)
    if table is None:
        return ()
    return tuple(column.name for column in table.columns if column.foreign_keys)


def _columns(table_name: str, constraint: str) -> tuple[str, ...]:
    """Return the columns of a constraint or unique index, in its order."""
    table = Base.metadata.tables.get(table_name)
    rules: list[Any] = [] if table is None else [*table.indexes, *table.constraints]
    rule = next((rule for rule in rules if rule.name == constraint), None)
    if isinstance(rule, CheckConstraint):
        # The condition is text; quoted strings in it are not columns.
        found = re.findall(r"'[^']*'|(\w+)", str(rule.sqltext))
        return tuple(column.name for column in rule.table.columns if column.name in found)
    return () if rule is None else tuple(rule.columns.keys())
