"""Soft delete beyond the routes: references to deleted rows, and the purge."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import utcnow
from app.db import models, soft_delete
from app.db.errors import MissingReferenceError
from app.db.purge import purge_all, purge_old
from app.settings import Settings
from tests.factories import customer as customer_factory
from tests.factories import order as order_factory
from tests.factories import order_line as order_line_factory


@pytest.mark.parametrize(
    ("factory", "column", "parent"),
    [
        (
            order_factory,
            "customer_id",
            models.Customer,
        ),
        (
            order_line_factory,
            "order_id",
            models.Order,
        ),
        (
            order_line_factory,
            "product_id",
            models.Product,
        ),
    ],
)
async def test_deleted_row_cannot_be_referenced(
    factory: Any,
    column: str,
    parent: type[models.Base],
    session: AsyncSession,
) -> None:
    body = await factory.payload(session)
    assert await session.run_sync(soft_delete.delete, parent, body[column])
    with pytest.raises(MissingReferenceError) as caught:
        await factory.make(session, **body)
    assert caught.value.columns == (column,)


async def test_purge_deletes_old_rows(session: AsyncSession) -> None:
    row = await customer_factory.make(session)
    await session.delete(row)
    for age, expected in ((dt.timedelta(days=1), 0), (dt.timedelta(0), 1)):
        purged = await session.run_sync(soft_delete.purge, type(row), age)
        assert purged == expected


async def test_purge_command_purges_every_table(app: FastAPI, session: AsyncSession) -> None:
    await customer_factory.make(session)
    await order_factory.make(session)
    await order_line_factory.make(session)
    deleted = 0
    for table in models.Base.metadata.tables.values():
        if "deleted_at" in table.columns:
            everything = sa.update(table).values(deleted_at=utcnow()).returning(table)
            deleted += len((await session.execute(everything)).all())
    await session.commit()
    assert await purge_all(app.state.session_factory, utcnow()) == deleted


async def test_purge_command_logs_the_number_of_rows(
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO"):
        await purge_old(settings)
    assert "Purged 0 rows" in caplog.text


async def test_bulk_delete_is_refused(session: AsyncSession) -> None:
    with pytest.raises(InvalidRequestError):
        await session.execute(sa.delete(models.Customer))
