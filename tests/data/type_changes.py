"""Every change of a column's type, each in its own table. Run in a project without resources.

The rows of a table hold values at the limits of its old type. After the revision each value must be
the same in the new type, or be refused by a check in the revision, or be announced as DATA LOSS.
"""

import ast
import datetime as dt
import json
import re
import uuid
from decimal import Decimal
from enum import StrEnum
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from app.db import models
from app.settings import load_settings
from sqlalchemy.orm import Mapped, Session, mapped_column

UTC = dt.UTC
VERSIONS = Path("migrations/versions")
Base = models.Base


class Level(StrEnum):
    """An enum column's values."""

    LOW = "low"
    HIGH = "high"


LONG = "x" * 39
MOMENT = dt.datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC)
MIDNIGHT = dt.datetime(1970, 1, 1, tzinfo=UTC)
UUID = uuid.UUID("a2cb1052-6ffa-4d50-8c71-0a1d1c2dd3c6")
TEXTS = [
    "low", "42", "-7", "007", "2147483648", "1.5", "12.50", "9007199254740993", "true", "yes",
    "2026-03-04", "2026-3-4",
    "2026-03-04T05:06:07.000008Z", str(UUID), '{"key": [1]}', "", "99999999999.25",
]  # fmt: skip

# The family of a type, its annotation, its column type if it is not the annotation's, and values.
KINDS: dict[str, tuple[str, Any, Any, list[Any]]] = {
    "str": ("text", str, sa.String(40), [*TEXTS, LONG]),
    "short": ("text", str, sa.String(5), ["low", "42", "true", "x", "abcde"]),
    "text": ("text", str, None, [*TEXTS, LONG * 20]),
    "email": ("text", str, sa.String(320), ["ann@example.com"]),
    "enum": ("text", Level, None, [Level.LOW, Level.HIGH]),
    "int": ("integer", int, sa.Integer(), [0, 1, -1, 42, 2**31 - 1, -(2**31)]),
    "bigint": ("integer", int, sa.BigInteger(), [0, 1, -7, 2**40, 10**15 - 1, 2**63 - 1, -(2**63)]),
    "float": ("float", float, None, [0.0, 1.0, -2.0, 0.1, 1.5, 0.1 + 0.2, 1e300, 2.0**40, 5e-324]),
    "decimal": ("decimal", Decimal, sa.Numeric(12, 2), ["0.00", "1.00", "12.50", "-9999999999.99"]),
    "whole": ("decimal", Decimal, sa.Numeric(5, 0), ["0", "1", "-99999"]),
    "bool": ("bool", bool, None, [True, False]),
    "date": ("date", dt.date, None, [dt.date(2026, 3, 4), dt.date(1000, 1, 1)]),
    "datetime": ("datetime", dt.datetime, None, [MOMENT, MIDNIGHT]),
    "uuid": ("uuid", uuid.UUID, None, [UUID]),
    "json": ("json", dict[str, Any], None, [{"key": [1]}, {}]),
}  # fmt: skip
CONVERTIBLE = {
    frozenset(pair)
    for pair in (
        ("integer", "float"), ("integer", "decimal"), ("integer", "bool"), ("float", "decimal"),
        ("date", "datetime"),
    )
}  # fmt: skip

DEFAULTS: dict[str, Any] = {
    "str": "low",
    "short": "42",
    "text": "x",
    "enum": "high",
    "int": sa.text("42"),
    "bigint": sa.text("-7"),
    "float": sa.text("1.5"),
    "decimal": sa.text("12.50"),
    "whole": sa.text("7"),
    "bool": sa.true(),
}

LOST, IMPOSSIBLE = "lost", "impossible"


def build(types: dict[str, str]) -> tuple[sa.MetaData, dict[str, Any]]:
    """Return models with one column, by the name of their table."""

    class Parent(Base):
        __abstract__ = True
        metadata = sa.MetaData(naming_convention=Base.metadata.naming_convention)

    classes = {}
    for table, kind in types.items():
        _family, annotation, column, _values = KINDS[kind]
        names = {
            "__tablename__": table,
            "__module__": __name__,
            "__annotations__": {"value": Mapped[annotation]},
            "value": mapped_column(
                *([] if column is None else [column]), server_default=DEFAULTS.get(kind)
            ),
        }
        classes[table] = type(f"{table}_{id(Parent)}", (Parent,), names)
    return Parent.metadata, classes


def literal(kind: str) -> str:
    """Return the default of a type in SQL."""
    default = DEFAULTS[kind]
    return f"'{default}'" if isinstance(default, str) else str(default)


def value_of(kind: str, value: Any) -> Any:
    return Decimal(value) if KINDS[kind][1] is Decimal else value


def as_text(kind: str, value: Any) -> str:
    family = KINDS[kind][0]
    if family == "datetime":
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    if family == "bool":
        return "true" if value else "false"
    return json.dumps(value) if family == "json" else str(value)


def from_text(kind: str, text: str) -> Any:
    """Read text that is written exactly as the type writes it."""
    family, annotation, _column, _values = KINDS[kind]
    try:
        if family == "bool":
            value: Any = {"true": True, "false": False}[text]
        elif family == "json":
            value = json.loads(text)
            assert isinstance(value, dict)
            return value
        elif family in {"date", "datetime"}:
            value = annotation.fromisoformat(text)
        else:
            value = annotation(text)
    except (ValueError, ArithmeticError, KeyError, AssertionError):
        return IMPOSSIBLE
    if family == "decimal":
        value = fit(kind, value) if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", text) else IMPOSSIBLE
        return value if isinstance(value, Decimal) else IMPOSSIBLE
    if family == "float" and re.fullmatch(r"-?[1-9]\d*", text):
        return value if int(value) == int(text) else IMPOSSIBLE
    return fit(kind, value) if as_text(kind, value) == text else IMPOSSIBLE


def fit(kind: str, value: Any) -> Any:
    """Return a number if it fits into the type."""
    family, _annotation, column, _values = KINDS[kind]
    if family == "integer":
        limit = 2**63 if isinstance(column, sa.BigInteger) else 2**31
        if not -limit <= round(value) < limit:
            return IMPOSSIBLE
        return int(value) if value == int(value) else LOST
    if family == "decimal":
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if abs(exact) >= 10 ** (column.precision - column.scale):
            return IMPOSSIBLE
        rounded = round(exact, column.scale)
        return rounded if rounded == exact else LOST
    if family == "float":
        return (
            float(value)
            if Decimal(repr(float(value))) == value or isinstance(value, float)
            else LOST
        )
    return value


def expected(old: str, new: str, value: Any) -> Any:
    """Return the value in its new type, or why it has none."""
    before, after, column = KINDS[old][0], KINDS[new][0], KINDS[new][2]
    if new == "enum":
        return Level(value) if value in list(Level) else IMPOSSIBLE
    if after == "text":
        text = as_text(old, value)
        return IMPOSSIBLE if column is not None and len(text) > column.length else text
    if before == "text":
        return from_text(new, str(value))
    if after == "bool" and before == "integer":
        return bool(value) if value in {0, 1} else IMPOSSIBLE
    if (before, after) == ("date", "datetime"):
        return dt.datetime.combine(value, dt.time(), UTC)
    if (before, after) == ("datetime", "date"):
        return value.date() if value.time() == dt.time() else LOST
    return fit(new, value)


def is_convertible(old: str, new: str) -> bool:
    before, after = KINDS[old][0], KINDS[new][0]
    if "enum" in {old, new}:
        return before == after
    return before == after or "text" in {before, after} or {before, after} in CONVERTIBLE


def same(one: Any, other: Any, kind: str = "") -> bool:
    """Compare strictly: 1 is not True, and 1 is not 1.0. Text may be spaced or padded otherwise."""
    if isinstance(one, str) and kind in {"float", "decimal", "json"} and one != other:
        return bool(json.loads(one) == json.loads(other))
    return type(one) is type(other) and one == other


def main() -> None:
    config = Config("alembic.ini")
    config.set_section_option("post_write_hooks", "hooks", "")
    pairs = {f"{old}_{new}": (old, new) for old, new in permutations(KINDS, 2)}
    engine = sa.create_engine(load_settings().sqlalchemy_url.set(drivername=DRIVER[0]), **DRIVER[1])
    problems = []

    def use(types: dict[str, str]) -> dict[str, Any]:
        metadata, classes = build(types)
        models.Base = SimpleNamespace(metadata=metadata)  # type: ignore[assignment,misc]
        return classes

    def revise(message: str) -> str:
        before = set(VERSIONS.glob("*.py"))
        command.revision(config, message, autogenerate=True)
        (path,) = set(VERSIONS.glob("*.py")) - before
        return path.read_text(encoding="utf-8")

    def read(classes: dict[str, Any]) -> dict[tuple[str, int], Any]:
        with Session(engine) as session:
            return {
                (table, row.id): row.value
                for table, class_ in classes.items()
                for row in session.scalars(sa.select(class_))
            }

    old_types = {table: old for table, (old, _new) in pairs.items()}
    before = use(old_types)
    command.upgrade(config, "head")
    revise("Before")
    command.upgrade(config, "head")
    with Session(engine) as session:
        for table, (old, _new) in pairs.items():
            session.add_all(before[table](value=value_of(old, value)) for value in KINDS[old][3])
        session.commit()
    old_rows = read(before)
    for (table, number), value in old_rows.items():
        written = value_of(old_types[table], KINDS[old_types[table]][3][number - 1])
        assert same(value, written), (table, value, written)

    # What has no conversion is refused, and nothing else is.
    refused = {table for table, (old, new) in pairs.items() if not is_convertible(old, new)}
    use({table: new for table, (_old, new) in pairs.items()})
    try:
        revise("Refused")
    except CommandError as error:
        message = str(error)
    assert "Use a new column instead" in message
    named = {line.split(".")[0].strip() for line in message.splitlines() if line.startswith("  ")}
    assert named == refused, named ^ refused

    new_types = {table: pairs[table][table not in refused] for table in pairs}
    after = use(new_types)
    text = revise("After")
    upgrade = next(
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    checks = [
        tuple(map(ast.literal_eval, node.args))
        for node in ast.walk(upgrade)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "refuse_rows"
    ]
    prose = " ".join(text.partition("def downgrade")[0].replace("#", " ").split())
    marked = {table for table in pairs if f"DATA LOSS: {table}.value" in prose}

    # The checks find what cannot be converted, and nothing else.
    found = set()
    with engine.begin() as connection:
        for table, condition in checks:
            where = sa.literal_column(condition)
            rows = sa.table(table, sa.column("id"))
            for number in connection.scalars(sa.select(rows.c.id).where(where)).all():
                found.add((table, number))
    outcome = {
        (table, number): expected(old_types[table], new_types[table], value)
        for (table, number), value in old_rows.items()
        if table not in refused
    }
    impossible = {key for key, value in outcome.items() if value is IMPOSSIBLE}
    for key in sorted(found ^ impossible):
        problems.append(("check", key, old_rows[key], "refused" if key in found else "let through"))
    for table in {table for (table, _number), value in outcome.items() if value is LOST} - marked:
        problems.append(("not marked", table))
    with engine.begin() as connection:
        for table, number in found | impossible:
            rows = sa.table(table, sa.column("id"))
            connection.execute(sa.delete(rows).where(rows.c.id == number))

    command.upgrade(config, "head")
    command.check(config)
    engine.dispose()
    with engine.begin() as connection:
        for table, kind in new_types.items():
            if kind in DEFAULTS:
                rows = sa.table(table, sa.column("id"), sa.column("value"))
                new = connection.scalar(sa.insert(rows).values({}).returning(rows.c.id))
                same_value = rows.c.value == sa.literal_column(literal(kind))
                if not connection.scalar(sa.select(same_value).where(rows.c.id == new)):
                    problems.append(("default", table))
                connection.execute(sa.delete(rows).where(rows.c.id == new))
    for key, value in read(after).items():
        if key[0] in refused or outcome[key] is LOST:
            continue
        if not same(value, outcome[key], old_types[key[0]]):
            problems.append(("changed", key, old_rows[key], value, outcome[key]))

    with engine.begin() as connection:
        for table, number in (key for key, value in outcome.items() if value is LOST):
            rows = sa.table(table, sa.column("id"))
            connection.execute(sa.delete(rows).where(rows.c.id == number))
    command.downgrade(config, "-1")
    engine.dispose()
    for key, value in read(before).items():
        if not same(value, old_rows[key], new_types[key[0]]):
            problems.append(("changed back", key, old_rows[key], value))
    engine.dispose()
    print(json.dumps({"problems": problems, "marked": sorted(marked)}, default=repr))


DRIVER: tuple[str, dict[str, Any]] = ("sqlite", {})
if load_settings().sqlalchemy_url.get_backend_name() == "postgresql":
    DRIVER = ("postgresql+psycopg", {})
main()
