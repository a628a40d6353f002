"""Pagination, the same for every list."""

import re
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Rows of a collection that are shown with their parent.
NESTED_LIMIT = 100


def _parameter(name: str) -> str:
    """Return the query parameter of a field: `price[gte]` for `price__gte`."""
    return re.sub(r"__(null|[gl]te?)$", r"[\1]", name)


class Paging(BaseModel):
    """Pagination parameters. Subclasses add filters and the sort order."""

    model_config = ConfigDict(extra="forbid", alias_generator=_parameter)

    limit: Annotated[int, Field(ge=1, le=100, description="Maximum number of items")] = 20
    cursor: Annotated[
        str | None,
        Field(max_length=32_768, description="`next_cursor` of the previous page"),
    ] = None
    offset: Annotated[int, Field(ge=0, le=10_000, description="Number of rows to skip")] = 0
    total: Annotated[bool, Field(description="Count all matching rows")] = False
    sort: Any = "id"  # narrowed to a Literal by each subclass

    @model_validator(mode="after")
    def _start_once(self) -> Self:
        if self.cursor is not None and self.offset:
            msg = "use either cursor or offset"
            raise ValueError(msg)
        return self


def filters_of(query: Paging) -> dict[str, Any]:
    """Return the filters that a query sets, by the name of their field."""
    given = sorted(query.model_fields_set - Paging.model_fields.keys())
    values = ((name, getattr(query, name)) for name in given)
    return {name: value for name, value in values if value is not None}


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next_cursor: Annotated[
        str | None,
        Field(description="`cursor` of the next page; null on the last one"),
    ]
    total: Annotated[
        int | None,
        Field(description="Number of matching rows", exclude_if=lambda total: total is None),
    ] = None


def split_nested(rows: list[Any], url: str) -> str | None:
    """Cut a collection off at NESTED_LIMIT and return the URL of the remaining rows, if any."""
    if len(rows) <= NESTED_LIMIT:
        return None
    del rows[NESTED_LIMIT:]
    return f"{url}&offset={NESTED_LIMIT}"
