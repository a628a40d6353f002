"""Sample notes."""

from typing import Any

from sqlalchemy.orm import Session

from app.crud import note as crud
from app.db import models
from app.schemas.note import NoteCreate
from tests.samples import NUMBERS


def payload(_session: Session, /, **values: Any) -> dict[str, Any]:
    """Return a valid request body; `values` override its fields."""
    n = next(NUMBERS[__name__])
    sample: dict[str, Any] = {
        "title": f"title {n}",
        "body": f"body {n}",
        "is_pinned": n % 2 == 1,
        # Your own fields go below this line.
    }
    return sample | values


def make(
    session: Session,
    /,
    **values: Any,
) -> models.Note:
    """Create a new note; `values` override its fields."""
    body = payload(session, **values)
    return crud.create(session, NoteCreate(**body))
