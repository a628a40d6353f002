"""Request and response schemas for note tags."""

from typing import Literal

from app.schemas.base import Body, Row
from app.schemas.pages import Page, Paging
from app.schemas.types import ABSENT, Id, StrictId


class NoteTagCreate(Body):
    """A new note tag."""

    note_id: StrictId
    tag_id: StrictId
    # Your own fields go below this line.


class NoteTagUpdate(Body):
    """Fields to update."""

    note_id: StrictId = ABSENT
    tag_id: StrictId = ABSENT
    # Your own fields go below this line.


class NoteTagRead(Row):
    """The note tag as returned by the API."""

    note_id: int
    tag_id: int
    # Your own fields go below this line.


class NoteTagQuery(Paging):
    """Filters and sort order for listing note tags."""

    sort: Literal["id", "-id"] = "id"
    note_id: list[Id] | None = None
    tag_id: list[Id] | None = None
    # Your own filters go below this line.


class NoteTagPage(Page[NoteTagRead]):
    """A page of note tags."""
