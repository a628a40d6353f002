"""CRUD functions for tags."""

from sqlalchemy.orm import Session

from app.crud import rows
from app.db import models
from app.schemas.tag import TagCreate, TagQuery, TagUpdate

BY_ID = rows.by_id(models.Tag)


def get(session: Session, key: int) -> models.Tag:
    """Return the tag."""
    return rows.get(session, BY_ID, key)


def list_page(
    session: Session,
    query: TagQuery,
) -> rows.Page[models.Tag]:
    """Return a page of tags. Raises InvalidCursorError."""
    return rows.page(session, models.Tag, query)


def create(
    session: Session,
    data: TagCreate,
) -> models.Tag:
    """Create a new tag."""
    return rows.create(session, models.Tag, data)


def update(
    session: Session,
    key: int,
    data: TagUpdate,
    versions: rows.Versions = None,
) -> models.Tag:
    """Update the fields set in `data`."""
    return rows.update(session, models.Tag, key, data, versions)


def delete(session: Session, key: int, versions: rows.Versions = None) -> None:
    """Delete the tag."""
    rows.delete(session, models.Tag, key, versions)


# Your own functions go below this line.
