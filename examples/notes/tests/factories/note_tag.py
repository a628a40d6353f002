"""Sample note tags."""

from typing import Any

from sqlalchemy.orm import Session

from app.crud import note_tag as crud
from app.db import models
from app.schemas.note_tag import NoteTagCreate
from tests.factories import note as note_factory
from tests.factories import tag as tag_factory


def payload(session: Session, /, **values: Any) -> dict[str, Any]:
    """Return a valid request body; `values` override its fields."""
    if "note_id" not in values:
        row_1 = note_factory.make(session)
        values["note_id"] = row_1.id
    if "tag_id" not in values:
        row_2 = tag_factory.make(session)
        values["tag_id"] = row_2.id
    sample: dict[str, Any] = {
        # Your own fields go below this line.
    }
    return sample | values


def make(
    session: Session,
    /,
    **values: Any,
) -> models.NoteTag:
    """Create a new note tag; `values` override its fields."""
    body = payload(session, **values)
    return crud.create(session, NoteTagCreate(**body))
