"""Sample tags."""

from typing import Any

from sqlalchemy.orm import Session

from app.crud import tag as crud
from app.db import models
from app.schemas.tag import TagCreate
from tests.samples import NUMBERS


def payload(_session: Session, /, **values: Any) -> dict[str, Any]:
    """Return a valid request body; `values` override its fields."""
    n = next(NUMBERS[__name__])
    sample: dict[str, Any] = {
        "name": f"name {n}",
        # Your own fields go below this line.
    }
    return sample | values


def make(
    session: Session,
    /,
    **values: Any,
) -> models.Tag:
    """Create a new tag; `values` override its fields."""
    body = payload(session, **values)
    return crud.create(session, TagCreate(**body))
