"""Request and response schemas for notes."""

from typing import Annotated, Literal

from annotated_types import MaxLen
from pydantic import StrictBool

from app.schemas.base import Body, Row
from app.schemas.pages import Page, Paging
from app.schemas.types import ABSENT, NonBlank, Text


class NoteCreate(Body):
    """A new note."""

    title: Annotated[NonBlank, MaxLen(200)]
    body: Text | None = None
    is_pinned: StrictBool = False
    # Your own fields go below this line.


class NoteUpdate(Body):
    """Fields to update."""

    title: Annotated[NonBlank, MaxLen(200)] = ABSENT
    body: Text | None = None
    is_pinned: StrictBool = ABSENT
    # Your own fields go below this line.


class NoteRead(Row):
    """The note as returned by the API."""

    title: str
    body: str | None
    is_pinned: bool
    # Your own fields go below this line.


class NoteQuery(Paging):
    """Filters and sort order for listing notes."""

    sort: Literal["id", "-id"] = "id"
    is_pinned: list[bool] | None = None
    # Your own filters go below this line.


class NotePage(Page[NoteRead]):
    """A page of notes."""
