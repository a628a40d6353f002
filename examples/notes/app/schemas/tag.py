"""Request and response schemas for tags."""

from typing import Annotated, Literal

from annotated_types import MaxLen

from app.schemas.base import Body, Row
from app.schemas.pages import Page, Paging
from app.schemas.types import ABSENT, NonBlank, Text


class TagCreate(Body):
    """A new tag."""

    name: Annotated[NonBlank, MaxLen(50)]
    # Your own fields go below this line.


class TagUpdate(Body):
    """Fields to update."""

    name: Annotated[NonBlank, MaxLen(50)] = ABSENT
    # Your own fields go below this line.


class TagRead(Row):
    """The tag as returned by the API."""

    name: str
    # Your own fields go below this line.


class TagQuery(Paging):
    """Filters and sort order for listing tags."""

    sort: Literal[
        "id",
        "-id",
        "name",
        "-name",
    ] = "id"
    name: list[Text] | None = None
    name__gt: Text | None = None
    name__gte: Text | None = None
    name__lt: Text | None = None
    name__lte: Text | None = None
    # Your own filters go below this line.


class TagPage(Page[TagRead]):
    """A page of tags."""
