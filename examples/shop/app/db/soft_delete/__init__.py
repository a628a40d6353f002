"""Soft delete: deleting a row sets `deleted_at`, which hides it until it is restored or purged.

ORM statements that go through a `SoftDeleteSession` read and update live rows only. The execution
option `include_deleted=True`, of a statement or of a session, is the only opt-out; it also applies
to whatever is loaded later from the objects of that statement.

All functions take a plain `Session`. Run them on that of an `AsyncSession`:
`await session.run_sync(soft_delete.restore, Post, 1)`.

SQLAlchemy has no public hook for these, so they are not filtered:

- statements on a `Table`, textual SQL, your own kinds of statements, and whatever is executed on a
  connection;
- the outer sides of a `FULL JOIN`;
- `any()` and `has()` from a class to itself, unless to an alias: `Node.children.of_type(child)`;
- a class used only in function arguments, as the second class of a column, or by a subquery in FILTER
  or OVER: use `select_from()`;
- the second class of an UPDATE, and an UPDATE by primary key from a list of dictionaries;
- a subquery as the value of an attribute.

`orm.outerjoin(A, B)` is refused: the condition on B would go into WHERE and make it an inner join.

A DELETE statement that reaches soft-deletable rows is refused, except as text or on a connection.
Loaded collections are not updated: they keep a row that is deleted later.
"""

import datetime as dt
from typing import Any, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event, exc, orm
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import Generative
from sqlalchemy.sql.selectable import FromGrouping

from app.db.base import UTCDateTime
from app.db.soft_delete import physical, references
from app.db.soft_delete.cascade import ParentDeletedError, StillReferencedError, delete, restore
from app.db.soft_delete.insert import NotLiveError, insert, require_parents
from app.db.soft_delete.purge import blocking_references, hard_delete, purge

__all__ = [
    "DELETED",
    "LIVE",
    "NotLiveError",
    "ParentDeletedError",
    "SoftDeleteMixin",
    "SoftDeleteSession",
    "StillReferencedError",
    "blocking_references",
    "delete",
    "hard_delete",
    "insert",
    "purge",
    "require_parents",
    "restore",
]

# The conditions of partial indexes, which Alembic does not compare.
LIVE = sa.text("deleted_at IS NULL")
DELETED = sa.text("deleted_at IS NOT NULL")


class SoftDeleteMixin:
    """Soft-delete rows of this class, which needs a table and a single-column primary key."""

    # The default sets the attribute of new objects, so that a bulk UPDATE keeps it up to date.
    deleted_at: Mapped[dt.datetime | None] = mapped_column(
        UTCDateTime, default=lambda: None, sort_order=3
    )

    @property
    def is_deleted(self) -> bool:
        """Whether the row is deleted."""
        return self.deleted_at is not None

    @property
    def include_deleted(self) -> bool:
        """Whether the row's session includes deleted rows."""
        session = orm.object_session(self)
        return session is not None and session.execution_options.get("include_deleted", False)


@event.listens_for(SoftDeleteMixin, "instrument_class", propagate=True)
def _register(mapper: orm.Mapper[Any], _cls: type[SoftDeleteMixin]) -> None:
    references.register(mapper, SoftDeleteMixin)


class SoftDeleteSession(orm.Session):
    """A session that reads live rows only and soft-deletes objects."""

    def delete(self, instance: object) -> None:
        """Soft-delete an object's row, or delete it if its class does not have the mixin."""
        if not isinstance(instance, SoftDeleteMixin):
            super().delete(instance)
            return
        self.flush()
        identity = sa.inspect(instance).identity
        if identity is None:
            msg = f"this {type(instance).__name__} is not stored"
            raise exc.InvalidRequestError(msg)
        self.add(instance)
        if not delete(self, type(instance), identity[0]):
            # Another transaction deleted it first; its timestamp stays.
            self.refresh(instance, ["deleted_at"])

    def _identity_lookup(self, *args: Any, **kwargs: Any) -> Any:
        # Private, though meant to be overridden. `get` and many-to-one loads that find their object
        # in the session emit no statement; unless it is known to be live, make them emit one.
        found = super()._identity_lookup(*args, **kwargs)
        if isinstance(found, SoftDeleteMixin) and found.__dict__.get("deleted_at", True):
            return None
        return found


class _Decided(orm.UserDefinedOption):
    """Marks statements as filtered, or exempt; loads from their objects inherit the mark."""

    propagate_to_loaders = True


def _is_live(cls: type[SoftDeleteMixin]) -> sa.ColumnElement[bool]:
    return cls.deleted_at.is_(None)


# Created once: a new option would make each statement a new one for SQLAlchemy's statement cache.
_LIVE = (orm.with_loader_criteria(SoftDeleteMixin, _is_live, include_aliases=True), _Decided())
_ALL = (_Decided(),)

# A statement kept in a constant is filtered once, and its cache key is computed once.
_live: WeakKeyDictionary[sa.Executable, sa.Executable] = WeakKeyDictionary()
_all: WeakKeyDictionary[sa.Executable, sa.Executable] = WeakKeyDictionary()


@event.listens_for(SoftDeleteSession, "do_orm_execute")
def _filter(state: orm.ORMExecuteState) -> None:
    statement = state.statement
    if not isinstance(statement, Generative):
        # A sequence, DDL, or a statement of your own.
        return
    physical.refuse(statement, state.execution_options)
    include_deleted = state.execution_options.get("include_deleted", False)
    statements = _all if include_deleted else _live
    filtered = statements.get(statement)
    if filtered is None:
        if any(isinstance(option, _Decided) for option in state.user_defined_options):
            return
        if not include_deleted:
            _refuse_outer_joins(statement)
        filtered = statement
        if isinstance(statement, sa.Select) and not state.is_orm_statement:
            filtered = _with_class(statement)
        filtered = cast("Any", filtered).options(*(_ALL if include_deleted else _LIVE))
        statements[statement] = filtered
    state.statement = filtered


def _refuse_outer_joins(statement: sa.Executable) -> None:
    for part in visitors.iterate(cast("Any", statement)):
        if isinstance(part, sa.Join) and part.isouter and _is_filtered(part.right):
            msg = (
                "orm.outerjoin(A, B, …) cannot be limited to live rows: use"
                " select_from(A).outerjoin(B, …)"
            )
            raise exc.InvalidRequestError(msg)


def _is_filtered(source: sa.FromClause) -> bool:
    if isinstance(source, FromGrouping):
        return _is_filtered(source.element)
    if isinstance(source, sa.Join):
        return _is_filtered(source.left) or _is_filtered(source.right)
    entity = sa.inspect(getattr(source, "entity_namespace", None), raiseerr=False)
    return entity is not None and issubclass(entity.mapper.class_, SoftDeleteMixin)


def _with_class(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Add the class to FROM: SQLAlchemy overlooks one that is used only in FILTER or OVER."""
    sources = statement.get_final_froms()
    for element in visitors.iterate(statement):
        cls = getattr(element, "entity_namespace", None)
        if isinstance(cls, type) and sa.inspect(cls).local_table in sources:
            return statement.select_from(cls)
    return statement
