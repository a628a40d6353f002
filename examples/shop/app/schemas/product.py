"""Request and response schemas for products."""

from decimal import Decimal
from typing import Annotated, Literal

from annotated_types import MaxLen
from pydantic import StrictBool

from app.schemas.base import Body, Row
from app.schemas.pages import Page, Paging
from app.schemas.types import ABSENT, Digits, NonBlank, PlainDecimal, Text


class ProductCreate(Body):
    """A new product."""

    sku: Annotated[NonBlank, MaxLen(40)]
    name: Annotated[NonBlank, MaxLen(200)]
    price: Annotated[Decimal, Digits(10, 2)]
    is_available: StrictBool = True
    # Your own fields go below this line.


class ProductUpdate(Body):
    """Fields to update."""

    sku: Annotated[NonBlank, MaxLen(40)] = ABSENT
    name: Annotated[NonBlank, MaxLen(200)] = ABSENT
    price: Annotated[Decimal, Digits(10, 2)] = ABSENT
    is_available: StrictBool = ABSENT
    # Your own fields go below this line.


class ProductRead(Row):
    """The product as returned by the API."""

    sku: str
    name: str
    price: PlainDecimal
    is_available: bool
    # Your own fields go below this line.


class ProductQuery(Paging):
    """Filters and sort order for listing products."""

    sort: Literal[
        "id",
        "-id",
        "sku",
        "-sku",
    ] = "id"
    sku: list[Text] | None = None
    sku__gt: Text | None = None
    sku__gte: Text | None = None
    sku__lt: Text | None = None
    sku__lte: Text | None = None
    is_available: list[bool] | None = None
    # Your own filters go below this line.


class ProductPage(Page[ProductRead]):
    """A page of products."""
