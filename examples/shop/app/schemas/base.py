"""Base classes of request and response schemas."""

import datetime as dt

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request body. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Row(BaseModel):
    """A row as returned by the API."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: dt.datetime
    updated_at: dt.datetime
    deleted_at: dt.datetime | None
