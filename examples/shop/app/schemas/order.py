"""Request and response schemas for orders."""

import datetime as dt
from typing import Annotated, Literal

from annotated_types import MaxLen

from app.enums.order import OrderStatus
from app.schemas.base import Body, Row
from app.schemas.pages import Page, Paging
from app.schemas.types import ABSENT, Id, NonBlank, StrictId, Text, Timestamp


class OrderCreate(Body):
    """A new order."""

    number: Annotated[NonBlank, MaxLen(20)]
    status: OrderStatus = OrderStatus.PENDING
    customer_id: StrictId
    placed_at: Timestamp
    # Your own fields go below this line.


class OrderUpdate(Body):
    """Fields to update."""

    number: Annotated[NonBlank, MaxLen(20)] = ABSENT
    status: OrderStatus = ABSENT
    customer_id: StrictId = ABSENT
    placed_at: Timestamp = ABSENT
    # Your own fields go below this line.


class OrderRead(Row):
    """The order as returned by the API."""

    number: str
    status: OrderStatus
    customer_id: int
    placed_at: dt.datetime
    # Your own fields go below this line.


class OrderQuery(Paging):
    """Filters and sort order for listing orders."""

    sort: Literal[
        "id",
        "-id",
        "number",
        "-number",
        "placed_at",
        "-placed_at",
    ] = "id"
    number: list[Text] | None = None
    number__gt: Text | None = None
    number__gte: Text | None = None
    number__lt: Text | None = None
    number__lte: Text | None = None
    status: list[OrderStatus] | None = None
    customer_id: list[Id] | None = None
    placed_at: list[Timestamp] | None = None
    placed_at__gt: Timestamp | None = None
    placed_at__gte: Timestamp | None = None
    placed_at__lt: Timestamp | None = None
    placed_at__lte: Timestamp | None = None
    # Your own filters go below this line.


class OrderPage(Page[OrderRead]):
    """A page of orders."""
