"""Operations that autogenerate renders besides Alembic's own."""

import json
import textwrap
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _repr_type
from alembic.operations import ops
from sqlalchemy.dialects import sqlite

DIALECT = sa.make_url("sqlite://").get_dialect()()
_WRAPPER = textwrap.TextWrapper(84, break_on_hyphens=False)
quote = DIALECT.identifier_preparer.quote


def execute(statement: str) -> str:
    """Return the call that runs a statement."""
    return f"op.execute({json.dumps(statement, ensure_ascii=False)})"


def update(table: str, column: str, condition: str, value: str = "...") -> str:
    """Return the call that changes rows before a check; its column is quoted already."""
    return execute(f"UPDATE {quote(table)} SET {column} = {value} WHERE {condition}")


def plain(type_: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """Return the type that a column has in the database; the application's own only convert values."""
    if isinstance(type_, sa.TypeDecorator) and not _is_public(type(type_)):
        type_ = type_.load_dialect_impl(DIALECT)
        # Drivers have private subclasses of types.
        public = next(filter(_is_public, type(type_).__mro__), None)
        return type_.adapt(public) if public else type_
    return type_


def _is_public(cls: type[Any]) -> bool:
    return cls in (getattr(sa, cls.__name__, None), getattr(sqlite, cls.__name__, None))


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Render the application's column types as the plain types that they are in the database."""
    if kind == "type" and isinstance(item, sa.Enum) and not item.native_enum:
        return f"sa.String(length={item.length})"
    if kind == "type" and plain(item) is not item:
        return _repr_type(plain(item), context)
    return False


class Note(ops.MigrateOperation):
    """A comment. Lines that are indented are code, and are not wrapped."""

    def __init__(self, text: str) -> None:
        """Store the text."""
        self.text = text

    def to_diff_tuple(self) -> tuple[str, str]:
        """Return what `alembic check` reports."""
        return ("note", self.text)


class Check(Note):
    """A call that fails if rows of a table meet a condition, and the comment on it."""

    def __init__(self, text: str, table: str, condition: str) -> None:
        """Store the text, the table and the SQL condition."""
        super().__init__(text)
        self.table = table
        self.condition = condition


@renderers.dispatch_for(Note)
def render_note(_context: AutogenContext, op: Note) -> list[str]:
    """Return the lines of a comment."""
    return [
        f"# {line}"
        for paragraph in op.text.splitlines()
        for line in ([paragraph] if paragraph.startswith(" ") else _WRAPPER.wrap(paragraph))
    ]


@renderers.dispatch_for(Check)
def _render_check(context: AutogenContext, op: Check) -> list[str]:
    context.imports.add("from migrations.checks import refuse_rows")
    return [*render_note(context, op), f"refuse_rows({op.table!r}, {op.condition!r})"]
