"""Routes of orders."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access import VisibleSessionDep
from app.crud import order as crud
from app.crud.rows import Page
from app.db import models
from app.db.session import SessionDep
from app.errors import problems
from app.headers import IfMatch, set_created, set_etag, set_next
from app.routing import Route
from app.schemas.details.order import OrderDetail
from app.schemas.order import OrderCreate, OrderPage, OrderQuery, OrderRead, OrderUpdate
from app.schemas.types import Id

router = APIRouter(
    prefix="/orders",
    tags=["orders"],
    route_class=Route,
)


@router.post(
    "",
    status_code=201,
    response_model=OrderRead,
    responses=problems("already-exists", "missing-reference"),
)
async def create_order(
    data: OrderCreate,
    request: Request,
    response: Response,
    session: SessionDep,
) -> models.Order:
    """Create a new order."""
    row = await crud.create(session, data)
    set_created(request, response, row)
    return row


@router.get("", response_model=OrderPage)
async def list_orders(
    query: Annotated[OrderQuery, Query()],
    request: Request,
    response: Response,
    session: VisibleSessionDep,
) -> Page[models.Order]:
    """List orders. Filters are combined with AND."""
    page = await crud.list_page(session, query)
    set_next(request, response, page.next_cursor)
    return page


@router.get("/{key}", response_model=OrderDetail)
async def read_order(
    key: Id,
    response: Response,
    session: VisibleSessionDep,
) -> models.Order:
    """Get the order."""
    row = await crud.get(session, key)
    set_etag(response, row)
    return row


@router.patch(
    "/{key}",
    response_model=OrderRead,
    responses=problems("already-exists", "missing-reference"),
)
async def update_order(
    key: Id,
    data: OrderUpdate,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.Order:
    """Update the order. Omitted fields are unchanged."""
    row = await crud.update(session, key, data, versions)
    set_etag(response, row)
    return row


@router.delete("/{key}", status_code=204, response_class=Response)
async def delete_order(
    key: Id,
    versions: IfMatch,
    session: SessionDep,
) -> None:
    """Delete the order."""
    await crud.delete(session, key, versions)


@router.post(
    "/{key}/restore",
    response_model=OrderRead,
    responses=problems("already-exists", "parent-deleted"),
)
async def restore_order(
    key: Id,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.Order:
    """Restore a deleted order and everything deleted with it."""
    row = await crud.restore(session, key, versions)
    set_etag(response, row)
    return row


# Your own routes go below this line.
