"""CRUD functions for customers."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.crud import rows
from app.db import models
from app.schemas.customer import CustomerCreate, CustomerQuery, CustomerUpdate

BY_ID = rows.by_id(models.Customer)
COLLECTIONS = [
    rows.first_of(models.Customer.orders),
]


async def get(session: AsyncSession, key: int) -> models.Customer:
    """Return the customer with its related rows."""
    return await session.run_sync(rows.get, BY_ID, key, COLLECTIONS)


async def list_page(
    session: AsyncSession,
    query: CustomerQuery,
) -> rows.Page[models.Customer]:
    """Return a page of customers. Raises InvalidCursorError."""
    return await session.run_sync(rows.page, models.Customer, query)


async def create(
    session: AsyncSession,
    data: CustomerCreate,
) -> models.Customer:
    """Create a new customer."""
    return await session.run_sync(rows.create, models.Customer, data)


async def update(
    session: AsyncSession,
    key: int,
    data: CustomerUpdate,
    versions: rows.Versions = None,
) -> models.Customer:
    """Update the fields set in `data`."""
    return await session.run_sync(rows.update, models.Customer, key, data, versions)


async def delete(session: AsyncSession, key: int, versions: rows.Versions = None) -> None:
    """Delete the customer."""
    await session.run_sync(rows.delete, models.Customer, key, versions)


async def restore(
    session: AsyncSession,
    key: int,
    versions: rows.Versions = None,
) -> models.Customer:
    """Restore the customer and everything deleted with it."""
    return await session.run_sync(rows.restore, models.Customer, key, versions)


# Your own functions go below this line.
