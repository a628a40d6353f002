"""CRUD operations shared by all resources. Each takes a plain `Session`.

Statements are built once and take their values as parameters: building a statement and its cache
key costs as much as executing it.
"""

import datetime as dt
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Generic, Literal, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Select, bindparam
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.base import ExecutableOption

from app.clock import utcnow
from app.db.base import Base
from app.db.errors import (
    InvalidCursorError,
    MissingReferenceError,
    NotFoundError,
    PreconditionFailedError,
)
from app.schemas.pages import NESTED_LIMIT, Paging, filters_of
from app.schemas.types import Date, Digits, Id, Int32, Int64, Text, Timestamp

M = TypeVar("M", bound=Base)

# Values of `updated_at` that an update or a deletion accepts; None accepts any.
Versions = Collection[dt.datetime] | None

# Loads a collection of a row.
Loader = Callable[[Session, Any], None]

_OPERATORS: dict[str, Callable[[Any, Any], sa.ColumnElement[bool]]] = {
    "eq": lambda column, value: column == value,
    "in": lambda column, value: column.in_(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "is_null": lambda column, _value: column.is_(None),
    "is_not_null": lambda column, _value: column.is_not(None),
}


def by_id(model: type[M], *options: ExecutableOption) -> Select[M]:
    """Build the statement for `get`."""
    return sa.select(model).where(model.id == bindparam("_key")).options(*options)


def get(
    session: Session,
    statement: Select[M],
    key: int,
    load: Sequence[Loader] = (),
) -> M:
    """Return a row, with the collections that `load` loads.

    Raises NotFoundError if it does not exist.
    """
    row = session.scalar(statement, {"_key": key})
    if row is None:
        raise NotFoundError(statement.column_descriptions[0]["type"])
    for load_collection in load:
        load_collection(session, row)
    return row


def first_of(attribute: InstrumentedAttribute[Any]) -> Loader:
    """Return a loader for the first rows of a one-to-many relationship such as `User.posts`.

    It loads up to NESTED_LIMIT + 1 rows: an extra row means that there are more.
    """
    relationship = attribute.property
    (foreign_key,) = relationship.remote_side
    related = relationship.mapper.class_
    statement = (
        sa.select(related)
        .where(foreign_key == bindparam("parent"))
        .order_by(related.id)
        .limit(NESTED_LIMIT + 1)
    )

    def load(session: Session, row: Any) -> None:
        found = session.scalars(statement, {"parent": row.id})
        rows: Any = found.all() if relationship.uselist else found.first()
        set_committed_value(row, attribute.key, rows)

    return load


def create(session: Session, model: type[M], data: BaseModel) -> M:
    """Insert a row.

    Raises MissingReferenceError if a referenced row does not exist.
    """
    values = new_values(data)
    statement = _insert(model, tuple(values))
    try:
        row: M = session.scalars(statement, values).one()
    except IntegrityError as error:
        raise _explain(session, model, values, error) from error
    return row


def new_values(data: BaseModel) -> dict[str, Any]:
    """Return the values of a new row, with equal timestamps."""
    now = utcnow()
    return {"created_at": now, "updated_at": now, **data.model_dump()}


def update(
    session: Session,
    model: type[M],
    key: int,
    data: BaseModel,
    versions: Versions = None,
) -> M:
    """Update the fields set in `data`, and nothing else.

    Raises NotFoundError if the row does not exist, PreconditionFailedError if it has another version.
    """
    values = data.model_dump(exclude_unset=True)
    parameters = {f"_new_{name}": value for name, value in values.items()}
    if versions is not None:
        parameters["_versions"] = versions
    statement = _update(model, tuple(values), any_version=versions is None)
    try:
        row: M | None = session.scalar(statement, {"_key": key, **parameters})
    except IntegrityError as error:
        raise _explain(session, model, values, error) from error
    if row is None:
        raise _missing(session, model, key, versions)
    return row


def delete(session: Session, model: type[Base], key: int, versions: Versions = None) -> None:
    """Delete a row.

    Raises NotFoundError if it does not exist, PreconditionFailedError if it has another version,
    IntegrityError if other rows still reference it.
    """
    parameters = {} if versions is None else {"_versions": versions}
    statement = _delete(model, any_version=versions is None)
    if session.scalar(statement, {"_key": key, **parameters}) is None:
        raise _missing(session, model, key, versions)


def _missing(
    session: Session,
    model: type[Base],
    key: int,
    versions: Versions,
) -> Exception:
    """Return the error that explains why no row was written."""
    if versions is None:
        return NotFoundError(model)
    row = session.scalar(by_id(model), {"_key": key})
    return NotFoundError(model) if row is None else PreconditionFailedError(model)


def _explain(
    session: Session,
    model: type[Base],
    values: dict[str, Any],
    error: IntegrityError,
) -> Exception:
    """Return the error that names the broken references, which SQLite does not."""
    broken = []
    for key in model.__table__.foreign_keys:
        value = values.get(key.parent.name)
        exists = sa.select(sa.literal(1)).where(key.column == value)
        if value is not None and session.scalar(exists) is None:
            broken.append(key.parent.name)
    return MissingReferenceError(model.__tablename__, tuple(broken)) if broken else error


@lru_cache(1000)
def _insert(model: type[M], names: tuple[str, ...]) -> Any:
    columns = sa.inspect(model).columns
    values = {columns[name]: bindparam(name, type_=columns[name].type) for name in names}
    statement = sa.insert(model).values(values).returning(model)
    # Faster than an ORM INSERT … RETURNING.
    return sa.select(model).from_statement(statement)


@lru_cache(1000)
def _update(model: type[M], names: tuple[str, ...], *, any_version: bool) -> Any:
    if not names:
        return _with_version(by_id(model), model, any_version=any_version)
    columns = sa.inspect(model).columns
    values: dict[Any, Any] = {
        columns[name]: bindparam(f"_new_{name}", type_=columns[name].type) for name in names
    }
    statement = sa.update(model).where(model.id == bindparam("_key")).values(values)
    statement = statement.returning(model)
    statement = statement.execution_options(synchronize_session=False, populate_existing=True)
    return _with_version(statement, model, any_version=any_version)


@lru_cache(1000)
def _delete(model: type[Base], *, any_version: bool) -> Any:
    statement = sa.delete(model).where(model.id == bindparam("_key")).returning(model.id)
    statement = statement.execution_options(synchronize_session=False)
    return _with_version(statement, model, any_version=any_version)


def _with_version(statement: Any, model: type[Base], *, any_version: bool) -> Any:
    if any_version:
        return statement
    return statement.where(model.updated_at.in_(bindparam("_versions", expanding=True)))


@dataclass(frozen=True)
class Page(Generic[M]):
    """A page of rows; `total` is None unless the query asks for it."""

    items: Sequence[M]
    next_cursor: str | None
    total: int | None


def page(session: Session, model: type[M], query: Paging) -> Page[M]:
    """Return the page of rows that match the query.

    Raises InvalidCursorError if the cursor does not belong to this query.
    """
    filters = filters_of(query)
    conditions, parameters = _conditions(filters)
    name = query.sort.removeprefix("-")
    cursors = _cursors(model, name)
    digest = _digest(model, query, filters)
    window: dict[str, Any] = {"count": query.limit + 1}
    if query.cursor is not None:
        window |= _decode(cursors, query.cursor, name, digest)
    elif query.offset:
        window["skip"] = query.offset
    statement = _page(model, query.sort, conditions, frozenset(window))
    rows = session.scalars(statement, {**parameters, **window}).all()
    items, next_cursor = rows[: query.limit], None
    if len(rows) > query.limit:
        last = items[-1]
        next_cursor = _encode(cursors, digest, getattr(last, name), last.id)
    total = session.scalar(_count(model, conditions), parameters) if query.total else None
    return Page(items, next_cursor, total)


def _conditions(filters: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the conditions of filters, such as `created_at__gte`, and their parameters."""
    parameters = {}
    for name, value in filters.items():
        if isinstance(value, list):
            single = len(value) == 1
            parameters[f"{name}__{'eq' if single else 'in'}"] = value[0] if single else value
        elif name.endswith("__null"):
            column = name.removesuffix("__null")
            parameters[f"{column}__{'is_null' if value else 'is_not_null'}"] = value
        else:
            has_operator = name.rpartition("__")[2] in _OPERATORS
            parameters[name if has_operator else f"{name}__eq"] = value
    return tuple(parameters), parameters


@lru_cache(1000)
def _where(model: type[Base], conditions: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    found = []
    for condition in conditions:
        name, _, operator = condition.rpartition("__")
        column = sa.inspect(model).columns[name]
        value = bindparam(condition, type_=column.type, expanding=operator == "in")
        found.append(_OPERATORS[operator](column, value))
    return found


@lru_cache(1000)
def _page(
    model: type[M],
    sort: str,
    conditions: tuple[str, ...],
    window: frozenset[str],
) -> Select[M]:
    columns = sa.inspect(model).columns
    keys = {name: columns[name] for name in (sort.removeprefix("-"), "id")}
    descending = sort.startswith("-")
    statement = sa.select(model).where(*_where(model, conditions))
    if "after_id" in window:
        # A row value comparison, so that the database can seek in an index on these columns.
        row = sa.tuple_(*keys.values())
        last = sa.tuple_(*(bindparam(f"after_{name}", type_=keys[name].type) for name in keys))
        statement = statement.where(row < last if descending else row > last)
    if "skip" in window:
        statement = statement.offset(bindparam("skip"))
    order = (key.desc() if descending else key for key in keys.values())
    return statement.order_by(*order).limit(bindparam("count"))


@lru_cache(1000)
def _count(model: type[Base], conditions: tuple[str, ...]) -> Select[int]:
    return sa.select(sa.func.count()).select_from(model).where(*_where(model, conditions))


def _digest(model: type[Base], query: Paging, filters: dict[str, Any]) -> str:
    """Return a hash of what identifies a query apart from its window."""
    text = repr((model.__tablename__, query.sort, filters))
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


@lru_cache(1000)
def _cursors(model: type[Base], name: str) -> TypeAdapter[tuple[int, str, Any, int]]:
    """Return the adapter that validates the cursors of a sort field: they are client input."""
    column: Any = sa.inspect(model).columns[name].type
    integer = Int64 if name == "id" or issubclass(type(column), sa.BigInteger) else Int32
    types: dict[Any, Any] = {str: Text, int: integer, dt.datetime: Timestamp, dt.date: Date}
    value = types.get(column.python_type, column.python_type)
    if value is Decimal:
        value = Annotated[Decimal, Digits(column.precision, column.scale)]
    return TypeAdapter(tuple[Literal[1], str, value, Id])  # type: ignore[valid-type]


def _encode(cursors: TypeAdapter[Any], digest: str, value: Any, key: int) -> str:
    return urlsafe_b64encode(cursors.dump_json((1, digest, value, key))).decode()


def _decode(cursors: TypeAdapter[Any], cursor: str, name: str, digest: str) -> dict[str, Any]:
    try:
        _version, _digest, value, key = cursors.validate_json(urlsafe_b64decode(cursor))
    except ValueError:
        raise InvalidCursorError from None
    # A value has many Base64 and JSON encodings; only the one that the API writes is valid.
    if cursor != _encode(cursors, digest, value, key):
        raise InvalidCursorError
    return {f"after_{name}": value, "after_id": key}
