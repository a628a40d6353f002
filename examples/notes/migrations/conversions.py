"""How values survive a change of their column's type.

A conversion keeps every value that the new type can represent. If it rounds or truncates values,
`loses` says so. Rows that meet `refuses` have no counterpart in the new type; revisions fail while
there are any. Where there is no conversion at all, autogenerate refuses the change.
"""

import math
import re
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic.ddl.sqlite import SQLiteImpl
from alembic.util import CommandError

from migrations.rendering import plain

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
_TO_TEXT = {
    "bool": "CASE {value} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END",
    "integer": "CAST({value} AS TEXT)",
    # SQLite writes fifteen digits, but some floats take seventeen.
    "float": "CASE WHEN CAST(CAST({value} AS TEXT) AS REAL) = {value} THEN CAST({value} AS TEXT)"
    " ELSE printf('%!.17g', {value}) END",
    "decimal": "printf('%.{scale}f', {value})",
    "datetime": "replace({value}, ' ', 'T') || 'Z'",
    "date": "{value}",
    "uuid": "substr({value}, 1, 8) || '-' || substr({value}, 9, 4) || '-' || substr({value}, 13, 4) || '-'"
    " || substr({value}, 17, 4) || '-' || substr({value}, 21)",
    "json": "{value}",
}
_FROM_TEXT = {
    "bool": "{value} = 'true'",
    "integer": "CAST({value} AS INTEGER)",
    "float": "CAST({value} AS REAL)",
    "decimal": "CAST({value} AS NUMERIC)",
    "datetime": "replace(replace({value}, 'T', ' '), 'Z', '')",
    "date": "{value}",
    "uuid": "replace({value}, '-', '')",
    "json": "{value}",
}
_INVALID_TEXT = {
    "bool": "{value} NOT IN ('true', 'false')",
    "integer": "CAST(CAST({value} AS INTEGER) AS TEXT) <> {value}",
    "float": _TO_TEXT["float"].replace("{value}", "CAST({value} AS REAL)") + " <> {value}"
    " AND (CAST(CAST({value} AS INTEGER) AS TEXT) <> {value}"
    " OR CAST({value} AS REAL) <> CAST({value} AS INTEGER))",
    "decimal": "printf('%.{scale}f', CAST({value} AS NUMERIC)) <> {value}"
    " AND CAST(CAST({value} AS NUMERIC) AS TEXT) <> {value}"
    " OR round(CAST({value} AS NUMERIC), {scale}) <> CAST({value} AS NUMERIC)",
    "datetime": "{value} NOT GLOB '????-??-??T??:??:??*Z'"
    " OR strftime('%Y-%m-%dT%H:%M:%S', {value}) IS NOT substr({value}, 1, 19)",
    "date": "date({value}) IS NOT {value}",
    "uuid": "length({value}) <> 36 OR length(replace({value}, '-', '')) <> 32 OR {value} GLOB '*[^0-9a-f-]*'",
    "json": "{value} IS NOT NULL AND"
    " CASE WHEN json_valid({value}) THEN json_type({value}) ELSE '' END <> 'object'",
}
_CONVERSIONS = {
    ("bool", "integer"): "{value}",
    ("integer", "bool"): "{value}",
    ("integer", "integer"): "{value}",
    ("integer", "float"): "CAST({value} AS REAL)",
    ("integer", "decimal"): "{value}",
    ("float", "integer"): "CAST(round({value}) AS INTEGER)",
    ("float", "decimal"): "round({value}, {scale})",
    ("decimal", "decimal"): "round({value}, {scale})",
    ("decimal", "integer"): "CAST(round({value}) AS INTEGER)",
    ("decimal", "float"): "CAST({value} AS REAL)",
    ("date", "datetime"): "{value} || ' 00:00:00.000000'",
    ("datetime", "date"): "substr({value}, 1, 10)",
}
# A column with a collation, as CREATE TABLE shows it.
_COLLATION = re.compile(
    r'"?(\w+)"? \w+(?:\([\d, ]+\))?(?: NOT NULL)? COLLATE "?(\w+)', re.IGNORECASE
)


class Conversion(NamedTuple):
    """SQL that converts a column."""

    using: str
    loses: str = ""
    refuses: str = ""
    advice: str = ""


def kind(type_: Type) -> str:
    """Return what kind of values a column type holds, or nothing for types unknown here."""
    type_ = plain(type_)
    if isinstance(type_, sa.CHAR) and type_.length == 32:
        return "uuid"
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
    if out_of_range := _out_of_range(using, old, new):
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
    exact = {"integer", "decimal"} - {after}
    if after in {"float", "decimal"} and before in exact and _digits(old) + scale > 15:
        return "values are rounded to 15 digits"
    return ""


class ConvertingImpl(SQLiteImpl):
    """Convert values when a table is copied, and keep what SQLAlchemy does not reflect."""

    __dialect__ = "sqlite"

    def cast_for_batch_migrate(
        self, existing: sa.Column[Any], existing_transfer: dict[str, Any], new_type: Type
    ) -> None:
        """Set the expression that copies a column; Alembic's CAST turns '2026-12-31' into 2026."""
        if not kind(existing.type) or not kind(new_type):
            super().cast_for_batch_migrate(existing, existing_transfer, new_type)
            return
        name = self.dialect.identifier_preparer.quote(existing.key)
        conversion = convert(name, existing.type, new_type)
        if conversion is None:
            msg = f"{existing.key} cannot be converted from {existing.type} to {new_type}"
            raise CommandError(msg)
        if conversion.using != name:
            existing_transfer["expr"] = sa.literal_column(conversion.using, new_type)

    def prep_table_for_batch(self, batch_impl: Any, table: sa.Table) -> None:
        """Keep collations, indexes and triggers, and leave generated columns out of the copy."""
        super().prep_table_for_batch(batch_impl, table)
        query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL"
        found = batch_impl.impl.connection.exec_driver_sql(query, (table.name,)).all()
        columns, transfers = batch_impl.columns, batch_impl.column_transfers
        renames = any("name" in transfer for transfer in transfers.values())
        reflected = {index.name for index in table.indexes}
        self.unreflected = []
        for kind_, name, sql in found:
            if kind_ == "table":
                for key, collation in _COLLATION.findall(sql):
                    if key in columns and getattr(columns[key].type, "collation", "") is None:
                        columns[key].type.collation = collation
            # Reflection loses the sort order and the collations of an index.
            elif name not in reflected or (name in batch_impl.indexes and not renames):
                batch_impl.indexes.pop(name, None)
                self.unreflected.append(sql)
        for key, column in columns.items():
            if column.computed is not None:
                transfers[key].pop("expr", None)

    def rename_table(self, old_table_name: str, new_table_name: Any, schema: Any = None) -> None:
        """Rename a table; if it is a copy, recreate the indexes and triggers of the original."""
        if not old_table_name.startswith("_alembic_tmp_"):
            super().rename_table(old_table_name, new_table_name, schema)
            return
        # Views and triggers may refer to the original, which is gone.
        self.execute("PRAGMA legacy_alter_table = ON")
        super().rename_table(old_table_name, new_table_name, schema)
        self.execute("PRAGMA legacy_alter_table = OFF")
        for sql in self.unreflected:
            self.execute(sql.replace(":", r"\:"))
