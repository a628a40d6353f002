"""CRUD functions for order lines."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.crud import rows
from app.db import models
from app.schemas.order_line import OrderLineCreate, OrderLineQuery, OrderLineUpdate

BY_ID = rows.by_id(
    models.OrderLine,
    joinedload(models.OrderLine.order, innerjoin=True),
    joinedload(models.OrderLine.product, innerjoin=True),
)


async def get(session: AsyncSession, key: int) -> models.OrderLine:
    """Return the order line with its related rows."""
    return await session.run_sync(rows.get, BY_ID, key)


async def list_page(
    session: AsyncSession,
    query: OrderLineQuery,
) -> rows.Page[models.OrderLine]:
    """Return a page of order lines. Raises InvalidCursorError."""
    return await session.run_sync(rows.page, models.OrderLine, query)


async def create(
    session: AsyncSession,
    data: OrderLineCreate,
) -> models.OrderLine:
    """Create a new order line."""
    return await session.run_sync(rows.create, models.OrderLine, data)


async def update(
    session: AsyncSession,
    key: int,
    data: OrderLineUpdate,
    versions: rows.Versions = None,
) -> models.OrderLine:
    """Update the fields set in `data`."""
    return await session.run_sync(rows.update, models.OrderLine, key, data, versions)


async def delete(session: AsyncSession, key: int, versions: rows.Versions = None) -> None:
    """Delete the order line."""
    await session.run_sync(rows.delete, models.OrderLine, key, versions)


async def restore(
    session: AsyncSession,
    key: int,
    versions: rows.Versions = None,
) -> models.OrderLine:
    """Restore the order line and everything deleted with it. Raises ParentDeletedError."""
    return await session.run_sync(rows.restore, models.OrderLine, key, versions)


# Your own functions go below this line.
