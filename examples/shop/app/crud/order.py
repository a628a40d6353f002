"""CRUD functions for orders."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.crud import rows
from app.db import models
from app.schemas.order import OrderCreate, OrderQuery, OrderUpdate

BY_ID = rows.by_id(
    models.Order,
    joinedload(models.Order.customer, innerjoin=True),
)
COLLECTIONS = [
    rows.first_of(models.Order.lines),
]


async def get(session: AsyncSession, key: int) -> models.Order:
    """Return the order with its related rows."""
    return await session.run_sync(rows.get, BY_ID, key, COLLECTIONS)


async def list_page(
    session: AsyncSession,
    query: OrderQuery,
) -> rows.Page[models.Order]:
    """Return a page of orders. Raises InvalidCursorError."""
    return await session.run_sync(rows.page, models.Order, query)


async def create(
    session: AsyncSession,
    data: OrderCreate,
) -> models.Order:
    """Create a new order."""
    return await session.run_sync(rows.create, models.Order, data)


async def update(
    session: AsyncSession,
    key: int,
    data: OrderUpdate,
    versions: rows.Versions = None,
) -> models.Order:
    """Update the fields set in `data`."""
    return await session.run_sync(rows.update, models.Order, key, data, versions)


async def delete(session: AsyncSession, key: int, versions: rows.Versions = None) -> None:
    """Delete the order."""
    await session.run_sync(rows.delete, models.Order, key, versions)


async def restore(
    session: AsyncSession,
    key: int,
    versions: rows.Versions = None,
) -> models.Order:
    """Restore the order and everything deleted with it. Raises ParentDeletedError."""
    return await session.run_sync(rows.restore, models.Order, key, versions)


# Your own functions go below this line.
