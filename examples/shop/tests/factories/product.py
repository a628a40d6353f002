"""Sample products."""

from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.crud import product as crud
from app.db import models
from app.schemas.product import ProductCreate
from tests.samples import NUMBERS


async def payload(_session: AsyncSession, /, **values: Any) -> dict[str, Any]:
    """Return a valid request body; `values` override its fields."""
    n = next(NUMBERS[__name__])
    sample: dict[str, Any] = {
        "sku": f"sku {n}",
        "name": f"name {n}",
        "price": str(Decimal(n % 10**10).scaleb(-2)),
        "is_available": n % 2 == 1,
        # Your own fields go below this line.
    }
    return sample | values


async def make(
    session: AsyncSession,
    /,
    **values: Any,
) -> models.Product:
    """Create a new product; `values` override its fields."""
    body = await payload(session, **values)
    return await crud.create(session, ProductCreate(**body))
