"""The note tag with its related rows."""

from app.schemas.note import NoteRead
from app.schemas.note_tag import NoteTagRead
from app.schemas.tag import TagRead


class NoteTagDetail(NoteTagRead):
    """The note tag with its related rows."""

    note: NoteRead
    tag: TagRead
