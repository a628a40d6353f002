"""CRUD functions for products."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.crud import rows
from app.db import models
from app.schemas.product import ProductCreate, ProductQuery, ProductUpdate

BY_ID = rows.by_id(models.Product)


async def get(session: AsyncSession, key: int) -> models.Product:
    """Return the product."""
    return await session.run_sync(rows.get, BY_ID, key)


async def list_page(
    session: AsyncSession,
    query: ProductQuery,
) -> rows.Page[models.Product]:
    """Return a page of products. Raises InvalidCursorError."""
    return await session.run_sync(rows.page, models.Product, query)


async def create(
    session: AsyncSession,
    data: ProductCreate,
) -> models.Product:
    """Create a new product."""
    return await session.run_sync(rows.create, models.Product, data)


async def update(
    session: AsyncSession,
    key: int,
    data: ProductUpdate,
    versions: rows.Versions = None,
) -> models.Product:
    """Update the fields set in `data`."""
    return await session.run_sync(rows.update, models.Product, key, data, versions)


async def delete(session: AsyncSession, key: int, versions: rows.Versions = None) -> None:
    """Delete the product."""
    await session.run_sync(rows.delete, models.Product, key, versions)


async def restore(
    session: AsyncSession,
    key: int,
    versions: rows.Versions = None,
) -> models.Product:
    """Restore the product and everything deleted with it."""
    return await session.run_sync(rows.restore, models.Product, key, versions)


# Your own functions go below this line.
