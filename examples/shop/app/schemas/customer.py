"""Request and response schemas for customers."""

from typing import Annotated, Literal

from annotated_types import MaxLen

from app.schemas.base import Body, Row
from app.schemas.pages import Page, Paging
from app.schemas.types import ABSENT, Email, NonBlank


class CustomerCreate(Body):
    """A new customer."""

    name: Annotated[NonBlank, MaxLen(120)]
    email: Email
    # Your own fields go below this line.


class CustomerUpdate(Body):
    """Fields to update."""

    name: Annotated[NonBlank, MaxLen(120)] = ABSENT
    email: Email = ABSENT
    # Your own fields go below this line.


class CustomerRead(Row):
    """The customer as returned by the API."""

    name: str
    email: str
    # Your own fields go below this line.


class CustomerQuery(Paging):
    """Filters and sort order for listing customers."""

    sort: Literal[
        "id",
        "-id",
        "email",
        "-email",
    ] = "id"
    email: list[Email] | None = None
    email__gt: Email | None = None
    email__gte: Email | None = None
    email__lt: Email | None = None
    email__lte: Email | None = None
    # Your own filters go below this line.


class CustomerPage(Page[CustomerRead]):
    """A page of customers."""
