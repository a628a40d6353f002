"""Routes of note tags."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.crud import note_tag as crud
from app.crud.rows import Page
from app.db import models
from app.db.session import ReadSessionDep, SessionDep
from app.errors import problems
from app.headers import IfMatch, set_created, set_etag, set_next
from app.routing import Route
from app.schemas.details.note_tag import NoteTagDetail
from app.schemas.note_tag import (
    NoteTagCreate,
    NoteTagPage,
    NoteTagQuery,
    NoteTagRead,
    NoteTagUpdate,
)
from app.schemas.types import Id

router = APIRouter(
    prefix="/note-tags",
    tags=["note tags"],
    route_class=Route,
)


@router.post(
    "",
    status_code=201,
    response_model=NoteTagRead,
    responses=problems("already-exists", "missing-reference"),
)
def create_note_tag(
    data: NoteTagCreate,
    request: Request,
    response: Response,
    session: SessionDep,
) -> models.NoteTag:
    """Create a new note tag."""
    row = crud.create(session, data)
    set_created(request, response, row)
    return row


@router.get("", response_model=NoteTagPage)
def list_note_tags(
    query: Annotated[NoteTagQuery, Query()],
    request: Request,
    response: Response,
    session: ReadSessionDep,
) -> Page[models.NoteTag]:
    """List note tags. Filters are combined with AND."""
    page = crud.list_page(session, query)
    set_next(request, response, page.next_cursor)
    return page


@router.get("/{key}", response_model=NoteTagDetail)
def read_note_tag(
    key: Id,
    response: Response,
    session: ReadSessionDep,
) -> models.NoteTag:
    """Get the note tag."""
    row = crud.get(session, key)
    set_etag(response, row)
    return row


@router.patch(
    "/{key}",
    response_model=NoteTagRead,
    responses=problems("already-exists", "missing-reference"),
)
def update_note_tag(
    key: Id,
    data: NoteTagUpdate,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.NoteTag:
    """Update the note tag. Omitted fields are unchanged."""
    row = crud.update(session, key, data, versions)
    set_etag(response, row)
    return row


@router.delete("/{key}", status_code=204, response_class=Response)
def delete_note_tag(
    key: Id,
    versions: IfMatch,
    session: SessionDep,
) -> None:
    """Delete the note tag."""
    crud.delete(session, key, versions)


# Your own routes go below this line.
