"""Routes of notes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.crud import note as crud
from app.crud.rows import Page
from app.db import models
from app.db.session import ReadSessionDep, SessionDep
from app.headers import IfMatch, set_created, set_etag, set_next
from app.routing import Route
from app.schemas.details.note import NoteDetail
from app.schemas.note import NoteCreate, NotePage, NoteQuery, NoteRead, NoteUpdate
from app.schemas.types import Id

router = APIRouter(
    prefix="/notes",
    tags=["notes"],
    route_class=Route,
)


@router.post("", status_code=201, response_model=NoteRead)
def create_note(
    data: NoteCreate,
    request: Request,
    response: Response,
    session: SessionDep,
) -> models.Note:
    """Create a new note."""
    row = crud.create(session, data)
    set_created(request, response, row)
    return row


@router.get("", response_model=NotePage)
def list_notes(
    query: Annotated[NoteQuery, Query()],
    request: Request,
    response: Response,
    session: ReadSessionDep,
) -> Page[models.Note]:
    """List notes. Filters are combined with AND."""
    page = crud.list_page(session, query)
    set_next(request, response, page.next_cursor)
    return page


@router.get("/{key}", response_model=NoteDetail)
def read_note(
    key: Id,
    response: Response,
    session: ReadSessionDep,
) -> models.Note:
    """Get the note."""
    row = crud.get(session, key)
    set_etag(response, row)
    return row


@router.patch("/{key}", response_model=NoteRead)
def update_note(
    key: Id,
    data: NoteUpdate,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.Note:
    """Update the note. Omitted fields are unchanged."""
    row = crud.update(session, key, data, versions)
    set_etag(response, row)
    return row


@router.delete("/{key}", status_code=204, response_class=Response)
def delete_note(
    key: Id,
    versions: IfMatch,
    session: SessionDep,
) -> None:
    """Delete the note."""
    crud.delete(session, key, versions)


# Your own routes go below this line.
