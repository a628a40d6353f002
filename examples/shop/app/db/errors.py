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
    """A row references one that does not exist, or is deleted."""

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


# SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
_CHECK_VIOLATION = "23514"
_UNIQUE_VIOLATIONS = ("23505", "23P01")
_FOREIGN_KEY_VIOLATIONS = ("23503", "23001")


def violation_of(error: IntegrityError) -> Violation | None:
    """Return the violation by SQLSTATE and constraint name, or None for an unexpected error."""
    state = getattr(error.orig, "sqlstate", None)
    if state not in (_CHECK_VIOLATION, *_UNIQUE_VIOLATIONS, *_FOREIGN_KEY_VIOLATIONS):
        return None
    source = getattr(error.orig, "diag", None)
    table = getattr(source, "table_name", None) or ""
    columns = _columns(table, getattr(source, "constraint_name", None) or "")
    if state in _UNIQUE_VIOLATIONS:
        return Violation("unique", table, columns)
    # 23503 has two directions, which the statement tells apart. RESTRICT is 23001 since PostgreSQL 18.
    # A deletion violates a CHECK constraint by setting references to NULL.
    if (error.statement or "").startswith("DELETE"):
        return Violation("still_referenced", table, columns)
    return Violation("check" if state == _CHECK_VIOLATION else "missing_reference", table, columns)


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
