"""Routes of customers."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access import VisibleSessionDep
from app.crud import customer as crud
from app.crud.rows import Page
from app.db import models
from app.db.session import SessionDep
from app.errors import problems
from app.headers import IfMatch, set_created, set_etag, set_next
from app.routing import Route
from app.schemas.customer import (
    CustomerCreate,
    CustomerPage,
    CustomerQuery,
    CustomerRead,
    CustomerUpdate,
)
from app.schemas.details.customer import CustomerDetail
from app.schemas.types import Id

router = APIRouter(
    prefix="/customers",
    tags=["customers"],
    route_class=Route,
)


@router.post(
    "",
    status_code=201,
    response_model=CustomerRead,
    responses=problems("already-exists"),
)
async def create_customer(
    data: CustomerCreate,
    request: Request,
    response: Response,
    session: SessionDep,
) -> models.Customer:
    """Create a new customer."""
    row = await crud.create(session, data)
    set_created(request, response, row)
    return row


@router.get("", response_model=CustomerPage)
async def list_customers(
    query: Annotated[CustomerQuery, Query()],
    request: Request,
    response: Response,
    session: VisibleSessionDep,
) -> Page[models.Customer]:
    """List customers. Filters are combined with AND."""
    page = await crud.list_page(session, query)
    set_next(request, response, page.next_cursor)
    return page


@router.get("/{key}", response_model=CustomerDetail)
async def read_customer(
    key: Id,
    response: Response,
    session: VisibleSessionDep,
) -> models.Customer:
    """Get the customer."""
    row = await crud.get(session, key)
    set_etag(response, row)
    return row


@router.patch(
    "/{key}",
    response_model=CustomerRead,
    responses=problems("already-exists"),
)
async def update_customer(
    key: Id,
    data: CustomerUpdate,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.Customer:
    """Update the customer. Omitted fields are unchanged."""
    row = await crud.update(session, key, data, versions)
    set_etag(response, row)
    return row


@router.delete(
    "/{key}",
    status_code=204,
    response_class=Response,
    responses=problems("still-referenced"),
)
async def delete_customer(
    key: Id,
    versions: IfMatch,
    session: SessionDep,
) -> None:
    """Delete the customer."""
    await crud.delete(session, key, versions)


@router.post(
    "/{key}/restore",
    response_model=CustomerRead,
    responses=problems("already-exists"),
)
async def restore_customer(
    key: Id,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.Customer:
    """Restore a deleted customer and everything deleted with it."""
    row = await crud.restore(session, key, versions)
    set_etag(response, row)
    return row


# Your own routes go below this line.
