"""How values survive a change of their column's type.

A conversion keeps every value that the new type can represent. If it rounds or truncates values,
`loses` says so. Rows that meet `refuses` have no counterpart in the new type; revisions fail while
there are any. Where there is no conversion at all, autogenerate refuses the change.
"""

import math
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import ops

from migrations.rendering import DIALECT, plain

Type = sa.types.TypeEngine[Any]

_KINDS: dict[type[Type], str] = {
    sa.String: "text",
    sa.Boolean: "bool",
    sa.Integer: "integer",
    sa.Float: "float",
    sa.Numeric: "decimal",
    sa.DateTime: "datetime",
    sa.Date: "date",
    sa.Uuid: "uuid",
    sa.JSON: "json",
}

# Each kind as text; text in any other format is not converted.
_EXAMPLES = {
    "bool": "true",
    "integer": "42",
    "float": "1.5",
    "decimal": "12.50",
    "datetime": "2026-12-31T23:59:59.000000Z",
    "date": "2026-12-31",
    "uuid": "a2cb1052-6ffa-4d50-8c71-0a1d1c2dd3c6",
    "json": '{"key": "value"}',
}
_TO_TEXT = dict.fromkeys(_EXAMPLES, "CAST({value} AS TEXT)") | {
    "datetime": """to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
}
_FROM_TEXT = dict.fromkeys(_EXAMPLES, "CAST({value} AS {type})")
_INVALID_TEXT = {
    "bool": "{value} NOT IN ('true', 'false')",
    "integer": "{value} !~ '^(0|-?[1-9][0-9]{0,18})$'",
    "float": (
        "{value} !~ {number} OR"
        " CAST(CAST(CASE WHEN {value} ~ {number} THEN {value} END AS DOUBLE PRECISION) AS TEXT) <> {value}"
    ).replace("{number}", "'^-?(0|[1-9][0-9]*)([.][0-9]+)?(e[-+][0-9]+)?$'"),
    "decimal": "{value} !~ '^-?(0|[1-9][0-9]*)([.][0-9]{0,{scale}})?$'",
    "datetime": "{value} !~ '^[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}([.][0-9]{1,6})?Z$'",
    "date": "{value} !~ '^[0-9]{4}(-[0-9]{2}){2}$'",
    "uuid": "{value} !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'",
    "json": "{value} !~ '^[[:space:]]*[{]'",
}
_CONVERSIONS = {
    ("bool", "integer"): "CAST({value} AS INTEGER)",
    ("integer", "bool"): "{value} <> 0",
    ("integer", "integer"): "{value}",
    ("integer", "float"): "CAST({value} AS {type})",
    ("integer", "decimal"): "CAST({value} AS {type})",
    ("float", "integer"): "CAST({value} AS {type})",
    ("float", "decimal"): "CAST({value} AS {type})",
    ("decimal", "decimal"): "{value}",
    ("decimal", "integer"): "CAST({value} AS {type})",
    ("decimal", "float"): "CAST({value} AS {type})",
    ("date", "datetime"): "CAST({value} AS TIMESTAMP) AT TIME ZONE 'UTC'",
    ("datetime", "date"): "CAST({value} AT TIME ZONE 'UTC' AS DATE)",
}


class Conversion(NamedTuple):
    """SQL that converts a column."""

    using: str
    loses: str = ""
    refuses: str = ""
    advice: str = ""


def kind(type_: Type) -> str:
    """Return what kind of values a column type holds, or nothing for types unknown here."""
    type_ = plain(type_)
    return next((kind for class_, kind in _KINDS.items() if isinstance(type_, class_)), "")


def convert(column: str, old: Type, new: Type) -> Conversion | None:
    """Return the conversion of a column, if there is one; its name is quoted for SQL."""
    if isinstance(new, sa.Enum) and kind(old) != "text":
        return None
    if kind(new) == "text":
        return _to_text(column, old, new)
    if kind(old) == "text":
        return _from_text(column, old, new)
    return _between(column, old, new)


def _to_text(column: str, old: Type, new: Type) -> Conversion:
    using = _fill(_TO_TEXT.get(kind(old), "{value}"), column, old)
    length = getattr(new, "length", None)
    if length is None or isinstance(new, sa.Enum) or _width(old) <= length:
        return Conversion(using)
    too_long = f"length({using}) > {length}"
    return Conversion(using, "", too_long, f"has more than {length} characters")


def _from_text(column: str, old: Type, new: Type) -> Conversion:
    using = _fill(_FROM_TEXT[kind(new)], column, new)
    refuses = _fill(_INVALID_TEXT[kind(new)], column, new)
    number = f"CAST(CASE WHEN NOT ({refuses}) THEN {column} END AS NUMERIC)"
    if out_of_range := _out_of_range(number, old, new):
        refuses += f" OR {out_of_range}"
    return Conversion(using, "", refuses, f"is not written like {_EXAMPLES[kind(new)]}")


def _between(column: str, old: Type, new: Type) -> Conversion | None:
    pair = kind(old), kind(new)
    if pair not in _CONVERSIONS:
        return Conversion(column) if kind(old) == kind(new) else None
    using = _fill(_CONVERSIONS[pair], column, new)
    if kind(new) == "bool":
        return Conversion(using, "", f"{column} NOT IN (0, 1)", "is neither 0 nor 1")
    return Conversion(using, _loss(old, new), _out_of_range(column, old, new), "is out of range")


def _fill(sql: str, column: str, type_: Type) -> str:
    """Fill the column and its type into an expression."""
    sql = sql.replace("{type}", type_.compile(DIALECT))
    return sql.replace("{scale}", str(_scale(type_))).replace("{value}", column)


def _width(type_: Type) -> float:
    """Return the largest number of characters that values take as text."""
    widths = {"bool": 5, "integer": 20, "float": 24, "datetime": 30, "date": 13, "uuid": 36}
    if kind(type_) == "decimal":
        # With a sign, a point and a zero before it.
        return (getattr(type_, "precision", None) or math.inf) + 3
    return widths.get(kind(type_)) or getattr(type_, "length", None) or math.inf


def _scale(type_: Type) -> int:
    """Return the number of digits after the decimal point."""
    scale = getattr(type_, "scale", None)
    return 15 if scale is None else scale


def _digits(type_: Type) -> float:
    """Return the largest number of digits before the decimal point."""
    if kind(type_) in {"integer", "bool"}:
        return 19 if isinstance(type_, sa.BigInteger) else 10 if kind(type_) == "integer" else 1
    precision = getattr(type_, "precision", None) if kind(type_) == "decimal" else None
    return math.inf if precision is None else precision - _scale(type_)


def _out_of_range(value: str, old: Type, new: Type) -> str:
    """Return the condition for numbers that are too large for their new type."""
    if kind(new) == "integer":
        bits, digits = (63, 18) if isinstance(new, sa.BigInteger) else (31, 9)
        if _digits(old) > digits:
            number = f"round({value})" if kind(old) in {"float", "decimal"} else value
            return f"{number} NOT BETWEEN {-(2**bits)} AND {2**bits - 1}"
    if kind(new) == "decimal" and _digits(old) > _digits(new):
        limit = 10 ** int(_digits(new))
        return f"abs(round(CAST({value} AS NUMERIC), {_scale(new)})) >= {limit}"
    return ""


def _loss(old: Type, new: Type) -> str:
    """Return what an approximate conversion loses."""
    before, after = kind(old), kind(new)
    scale = {"float": math.inf, "decimal": _scale(old)}.get(before, 0)
    if after == "date" and before == "datetime":
        return "the time of day is dropped"
    if after == "integer" and scale > 0:
        return "values are rounded to whole numbers"
    if after == "decimal" and scale > _scale(new):
        return f"values are rounded to {_scale(new)} decimal places"
    if after == "float" and before in {"integer", "decimal"} and _digits(old) + scale > 15:
        return "values are rounded to 15 digits"
    return ""


class ComparingImpl(PostgresqlImpl):
    """Treat defaults of different types as different; Alembic compares them in SQL, which fails."""

    __dialect__ = "postgresql"

    def render_ddl_sql_expr(self, expr: sa.ClauseElement, *args: Any, **options: Any) -> str:
        """Return SQL for a revision; its percent signs are escaped when it runs, not here."""
        return super().render_ddl_sql_expr(expr, *args, **options).replace("%%", "%")

    def compare_server_default(
        self,
        inspector_column: sa.Column[Any],
        metadata_column: sa.Column[Any],
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> bool:
        """Return whether the defaults differ."""
        defaults = rendered_metadata_default, rendered_inspector_default
        if None not in defaults and kind(inspector_column.type) != kind(metadata_column.type):
            return True
        columns = inspector_column, metadata_column
        differ: bool = super().compare_server_default(*columns, *defaults)  # type: ignore[no-untyped-call]
        return differ


class Convert(ops.MigrateOperation):
    """A change of type that says how PostgreSQL converts the values."""

    def __init__(self, change: ops.AlterColumnOp, using: str) -> None:
        """Store Alembic's change and the SQL expression."""
        self.change = change
        self.using = using

    def to_diff_tuple(self) -> Any:
        """Return what `alembic check` reports."""
        return self.change.to_diff_tuple()


@renderers.dispatch_for(Convert)
def _render_convert(context: AutogenContext, op: Convert) -> str:
    call: str = renderers.dispatch(op.change)(context, op.change)
    return f"{call.removesuffix(')')}, postgresql_using={op.using!r})"
