"""Sample order lines."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.crud import order_line as crud
from app.db import models
from app.schemas.order_line import OrderLineCreate
from tests.factories import order as order_factory
from tests.factories import product as product_factory
from tests.samples import NUMBERS


async def payload(session: AsyncSession, /, **values: Any) -> dict[str, Any]:
    """Return a valid request body; `values` override its fields."""
    n = next(NUMBERS[__name__])
    if "order_id" not in values:
        row_1 = await order_factory.make(session)
        values["order_id"] = row_1.id
    if "product_id" not in values:
        row_2 = await product_factory.make(session)
        values["product_id"] = row_2.id
    sample: dict[str, Any] = {
        "quantity": n,
        # Your own fields go below this line.
    }
    return sample | values


async def make(
    session: AsyncSession,
    /,
    **values: Any,
) -> models.OrderLine:
    """Create a new order line; `values` override its fields."""
    body = await payload(session, **values)
    return await crud.create(session, OrderLineCreate(**body))
