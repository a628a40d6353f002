"""Sample customers."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.crud import customer as crud
from app.db import models
from app.schemas.customer import CustomerCreate
from tests.samples import NUMBERS


async def payload(_session: AsyncSession, /, **values: Any) -> dict[str, Any]:
    """Return a valid request body; `values` override its fields."""
    n = next(NUMBERS[__name__])
    sample: dict[str, Any] = {
        "name": f"name {n}",
        "email": f"user{n}@example.com",
        # Your own fields go below this line.
    }
    return sample | values


async def make(
    session: AsyncSession,
    /,
    **values: Any,
) -> models.Customer:
    """Create a new customer; `values` override its fields."""
    body = await payload(session, **values)
    return await crud.create(session, CustomerCreate(**body))
