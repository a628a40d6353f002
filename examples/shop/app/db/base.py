"""Shared by all models: metadata, common columns, column types."""

import datetime as dt
import enum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.clock import utcnow

# Deterministic constraint names, for migrations and for error mapping.
NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

NOW = sa.func.now()


class UTCDateTime(sa.TypeDecorator[dt.datetime]):
    """A timezone-aware datetime, stored and returned in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[dt.datetime]:
        """The type of the values, for cursors."""
        return dt.datetime

    def process_bind_param(
        self,
        value: dt.datetime | None,
        dialect: sa.Dialect,
    ) -> dt.datetime | None:
        """Convert to UTC; naive datetimes are rejected."""
        if value is not None and value.tzinfo is None:
            msg = "a datetime needs a time zone: use datetime.now(UTC)"
            raise ValueError(msg)
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(
        self,
        value: dt.datetime | None,
        dialect: sa.Dialect,
    ) -> dt.datetime | None:
        """Return UTC as `datetime.UTC`; the driver uses a class of its own."""
        return None if value is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """The base of all models."""

    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar = {
        str: sa.Text(),
        float: sa.Double(),
        dt.datetime: UTCDateTime(),
        dict[str, Any]: JSONB(none_as_null=True),
        # Stored as text: autogenerate does not compare values in native enums or CHECK constraints.
        enum.Enum: sa.Enum(
            enum.Enum,
            native_enum=False,
            length=50,
            values_callable=lambda members: [member.value for member in members],
        ),
    }

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True, sort_order=-1)
    created_at: Mapped[dt.datetime] = mapped_column(
        default=utcnow,
        server_default=NOW,
        sort_order=1,
    )
    updated_at: Mapped[dt.datetime] = mapped_column(
        default=utcnow,
        onupdate=utcnow,
        server_default=NOW,
        sort_order=2,
    )
