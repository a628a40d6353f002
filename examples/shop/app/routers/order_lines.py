"""Routes of order lines."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access import VisibleSessionDep
from app.crud import order_line as crud
from app.crud.rows import Page
from app.db import models
from app.db.session import SessionDep
from app.errors import problems
from app.headers import IfMatch, set_created, set_etag, set_next
from app.routing import Route
from app.schemas.details.order_line import OrderLineDetail
from app.schemas.order_line import (
    OrderLineCreate,
    OrderLinePage,
    OrderLineQuery,
    OrderLineRead,
    OrderLineUpdate,
)
from app.schemas.types import Id

router = APIRouter(
    prefix="/order-lines",
    tags=["order lines"],
    route_class=Route,
)


@router.post(
    "",
    status_code=201,
    response_model=OrderLineRead,
    responses=problems("already-exists", "missing-reference"),
)
async def create_order_line(
    data: OrderLineCreate,
    request: Request,
    response: Response,
    session: SessionDep,
) -> models.OrderLine:
    """Create a new order line."""
    row = await crud.create(session, data)
    set_created(request, response, row)
    return row


@router.get("", response_model=OrderLinePage)
async def list_order_lines(
    query: Annotated[OrderLineQuery, Query()],
    request: Request,
    response: Response,
    session: VisibleSessionDep,
) -> Page[models.OrderLine]:
    """List order lines. Filters are combined with AND."""
    page = await crud.list_page(session, query)
    set_next(request, response, page.next_cursor)
    return page


@router.get("/{key}", response_model=OrderLineDetail)
async def read_order_line(
    key: Id,
    response: Response,
    session: VisibleSessionDep,
) -> models.OrderLine:
    """Get the order line."""
    row = await crud.get(session, key)
    set_etag(response, row)
    return row


@router.patch(
    "/{key}",
    response_model=OrderLineRead,
    responses=problems("already-exists", "missing-reference"),
)
async def update_order_line(
    key: Id,
    data: OrderLineUpdate,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.OrderLine:
    """Update the order line. Omitted fields are unchanged."""
    row = await crud.update(session, key, data, versions)
    set_etag(response, row)
    return row


@router.delete("/{key}", status_code=204, response_class=Response)
async def delete_order_line(
    key: Id,
    versions: IfMatch,
    session: SessionDep,
) -> None:
    """Delete the order line."""
    await crud.delete(session, key, versions)


@router.post(
    "/{key}/restore",
    response_model=OrderLineRead,
    responses=problems("already-exists", "parent-deleted"),
)
async def restore_order_line(
    key: Id,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.OrderLine:
    """Restore a deleted order line and everything deleted with it."""
    row = await crud.restore(session, key, versions)
    set_etag(response, row)
    return row


# Your own routes go below this line.
