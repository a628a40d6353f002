"""The order with its related rows."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from app.schemas.customer import CustomerRead
from app.schemas.order import OrderRead
from app.schemas.order_line import OrderLineRead
from app.schemas.pages import split_nested


class OrderDetail(OrderRead):
    """The order with its related rows. `…_next` is the URL of further rows."""

    customer: CustomerRead
    lines: list[OrderLineRead]
    lines_next: str | None = None
    # Not in the response: the URLs of further rows depend on it.
    include_deleted: Annotated[bool, Field(exclude=True)] = False

    @model_validator(mode="after")
    def _split_collections(self) -> Self:
        url = f"/order-lines?order_id={self.id}"
        self.lines_next = split_nested(self.lines, url, include_deleted=self.include_deleted)
        return self
