"""Request and response schemas for order lines."""

from typing import Literal

from app.schemas.base import Body, Row
from app.schemas.pages import Page, Paging
from app.schemas.types import ABSENT, Id, StrictId, StrictInt32


class OrderLineCreate(Body):
    """A new order line."""

    order_id: StrictId
    product_id: StrictId
    quantity: StrictInt32
    # Your own fields go below this line.


class OrderLineUpdate(Body):
    """Fields to update."""

    order_id: StrictId = ABSENT
    product_id: StrictId = ABSENT
    quantity: StrictInt32 = ABSENT
    # Your own fields go below this line.


class OrderLineRead(Row):
    """The order line as returned by the API."""

    order_id: int
    product_id: int
    quantity: int
    # Your own fields go below this line.


class OrderLineQuery(Paging):
    """Filters and sort order for listing order lines."""

    sort: Literal["id", "-id"] = "id"
    order_id: list[Id] | None = None
    product_id: list[Id] | None = None
    # Your own filters go below this line.


class OrderLinePage(Page[OrderLineRead]):
    """A page of order lines."""
