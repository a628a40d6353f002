"""The note with its related rows."""

from typing import Self

from pydantic import model_validator

from app.schemas.note import NoteRead
from app.schemas.note_tag import NoteTagRead
from app.schemas.pages import split_nested


class NoteDetail(NoteRead):
    """The note with its related rows. `…_next` is the URL of further rows."""

    tags: list[NoteTagRead]
    tags_next: str | None = None

    @model_validator(mode="after")
    def _split_collections(self) -> Self:
        url = f"/note-tags?note_id={self.id}"
        self.tags_next = split_nested(self.tags, url)
        return self
