"""CRUD functions for note tags."""

from sqlalchemy.orm import Session, joinedload

from app.crud import rows
from app.db import models
from app.schemas.note_tag import NoteTagCreate, NoteTagQuery, NoteTagUpdate

BY_ID = rows.by_id(
    models.NoteTag,
    joinedload(models.NoteTag.note, innerjoin=True),
    joinedload(models.NoteTag.tag, innerjoin=True),
)


def get(session: Session, key: int) -> models.NoteTag:
    """Return the note tag with its related rows."""
    return rows.get(session, BY_ID, key)


def list_page(
    session: Session,
    query: NoteTagQuery,
) -> rows.Page[models.NoteTag]:
    """Return a page of note tags. Raises InvalidCursorError."""
    return rows.page(session, models.NoteTag, query)


def create(
    session: Session,
    data: NoteTagCreate,
) -> models.NoteTag:
    """Create a new note tag."""
    return rows.create(session, models.NoteTag, data)


def update(
    session: Session,
    key: int,
    data: NoteTagUpdate,
    versions: rows.Versions = None,
) -> models.NoteTag:
    """Update the fields set in `data`."""
    return rows.update(session, models.NoteTag, key, data, versions)


def delete(session: Session, key: int, versions: rows.Versions = None) -> None:
    """Delete the note tag."""
    rows.delete(session, models.NoteTag, key, versions)


# Your own functions go below this line.
