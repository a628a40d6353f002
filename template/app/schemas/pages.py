"""Paging, the same for every list."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class PageQuery(BaseModel):
    """Which part of a list: at most `limit` rows, after the first `offset`."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100, description="How many rows, at most")] = 20
    offset: Annotated[int, Field(ge=0, le=2**31, description="How many rows to leave out")] = 0


class Page(BaseModel):
    """One page, and how many rows there are in all."""

    total: int
    limit: int
    offset: int
