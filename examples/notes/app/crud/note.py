"""CRUD functions for notes."""

from sqlalchemy.orm import Session

from app.crud import rows
from app.db import models
from app.schemas.note import NoteCreate, NoteQuery, NoteUpdate

BY_ID = rows.by_id(models.Note)
COLLECTIONS = [
    rows.first_of(models.Note.tags),
]


def get(session: Session, key: int) -> models.Note:
    """Return the note with its related rows."""
    return rows.get(session, BY_ID, key, COLLECTIONS)


def list_page(
    session: Session,
    query: NoteQuery,
) -> rows.Page[models.Note]:
    """Return a page of notes. Raises InvalidCursorError."""
    return rows.page(session, models.Note, query)


def create(
    session: Session,
    data: NoteCreate,
) -> models.Note:
    """Create a new note."""
    return rows.create(session, models.Note, data)


def update(
    session: Session,
    key: int,
    data: NoteUpdate,
    versions: rows.Versions = None,
) -> models.Note:
    """Update the fields set in `data`."""
    return rows.update(session, models.Note, key, data, versions)


def delete(session: Session, key: int, versions: rows.Versions = None) -> None:
    """Delete the note."""
    rows.delete(session, models.Note, key, versions)


# Your own functions go below this line.
