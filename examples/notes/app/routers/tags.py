"""Routes of tags."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.crud import tag as crud
from app.crud.rows import Page
from app.db import models
from app.db.session import ReadSessionDep, SessionDep
from app.errors import problems
from app.headers import IfMatch, set_created, set_etag, set_next
from app.routing import Route
from app.schemas.tag import TagCreate, TagPage, TagQuery, TagRead, TagUpdate
from app.schemas.types import Id

router = APIRouter(
    prefix="/tags",
    tags=["tags"],
    route_class=Route,
)


@router.post(
    "",
    status_code=201,
    response_model=TagRead,
    responses=problems("already-exists"),
)
def create_tag(
    data: TagCreate,
    request: Request,
    response: Response,
    session: SessionDep,
) -> models.Tag:
    """Create a new tag."""
    row = crud.create(session, data)
    set_created(request, response, row)
    return row


@router.get("", response_model=TagPage)
def list_tags(
    query: Annotated[TagQuery, Query()],
    request: Request,
    response: Response,
    session: ReadSessionDep,
) -> Page[models.Tag]:
    """List tags. Filters are combined with AND."""
    page = crud.list_page(session, query)
    set_next(request, response, page.next_cursor)
    return page


@router.get("/{key}", response_model=TagRead)
def read_tag(
    key: Id,
    response: Response,
    session: ReadSessionDep,
) -> models.Tag:
    """Get the tag."""
    row = crud.get(session, key)
    set_etag(response, row)
    return row


@router.patch(
    "/{key}",
    response_model=TagRead,
    responses=problems("already-exists"),
)
def update_tag(
    key: Id,
    data: TagUpdate,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.Tag:
    """Update the tag. Omitted fields are unchanged."""
    row = crud.update(session, key, data, versions)
    set_etag(response, row)
    return row


@router.delete("/{key}", status_code=204, response_class=Response)
def delete_tag(
    key: Id,
    versions: IfMatch,
    session: SessionDep,
) -> None:
    """Delete the tag."""
    crud.delete(session, key, versions)


# Your own routes go below this line.
