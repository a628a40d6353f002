"""Sample orders."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.crud import order as crud
from app.db import models
from app.enums.order import OrderStatus
from app.schemas.order import OrderCreate
from tests.factories import customer as customer_factory
from tests.samples import NUMBERS, nth_noon


async def payload(session: AsyncSession, /, **values: Any) -> dict[str, Any]:
    """Return a valid request body; `values` override its fields."""
    n = next(NUMBERS[__name__])
    if "customer_id" not in values:
        row_1 = await customer_factory.make(session)
        values["customer_id"] = row_1.id
    sample: dict[str, Any] = {
        "number": f"number {n}",
        "status": list(OrderStatus)[n % 4].value,
        "placed_at": nth_noon(n),
        # Your own fields go below this line.
    }
    return sample | values


async def make(
    session: AsyncSession,
    /,
    **values: Any,
) -> models.Order:
    """Create a new order; `values` override its fields."""
    body = await payload(session, **values)
    return await crud.create(session, OrderCreate(**body))
