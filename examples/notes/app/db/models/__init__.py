"""Import every model, so that `Base.metadata` is complete."""

from app.db.base import Base
from app.db.models.note import Note
from app.db.models.note_tag import NoteTag
from app.db.models.tag import Tag

# isort: split
# Your own models go below this line.

__all__ = [
    "Base",
    "Note",
    "NoteTag",
    "Tag",
    # Your own models go below this line.
]
