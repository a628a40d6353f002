"""Routes of products."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access import VisibleSessionDep
from app.crud import product as crud
from app.crud.rows import Page
from app.db import models
from app.db.session import SessionDep
from app.errors import problems
from app.headers import IfMatch, set_created, set_etag, set_next
from app.routing import Route
from app.schemas.product import ProductCreate, ProductPage, ProductQuery, ProductRead, ProductUpdate
from app.schemas.types import Id

router = APIRouter(
    prefix="/products",
    tags=["products"],
    route_class=Route,
)


@router.post(
    "",
    status_code=201,
    response_model=ProductRead,
    responses=problems("already-exists"),
)
async def create_product(
    data: ProductCreate,
    request: Request,
    response: Response,
    session: SessionDep,
) -> models.Product:
    """Create a new product."""
    row = await crud.create(session, data)
    set_created(request, response, row)
    return row


@router.get("", response_model=ProductPage)
async def list_products(
    query: Annotated[ProductQuery, Query()],
    request: Request,
    response: Response,
    session: VisibleSessionDep,
) -> Page[models.Product]:
    """List products. Filters are combined with AND."""
    page = await crud.list_page(session, query)
    set_next(request, response, page.next_cursor)
    return page


@router.get("/{key}", response_model=ProductRead)
async def read_product(
    key: Id,
    response: Response,
    session: VisibleSessionDep,
) -> models.Product:
    """Get the product."""
    row = await crud.get(session, key)
    set_etag(response, row)
    return row


@router.patch(
    "/{key}",
    response_model=ProductRead,
    responses=problems("already-exists"),
)
async def update_product(
    key: Id,
    data: ProductUpdate,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.Product:
    """Update the product. Omitted fields are unchanged."""
    row = await crud.update(session, key, data, versions)
    set_etag(response, row)
    return row


@router.delete(
    "/{key}",
    status_code=204,
    response_class=Response,
    responses=problems("still-referenced"),
)
async def delete_product(
    key: Id,
    versions: IfMatch,
    session: SessionDep,
) -> None:
    """Delete the product."""
    await crud.delete(session, key, versions)


@router.post(
    "/{key}/restore",
    response_model=ProductRead,
    responses=problems("already-exists"),
)
async def restore_product(
    key: Id,
    versions: IfMatch,
    response: Response,
    session: SessionDep,
) -> models.Product:
    """Restore a deleted product and everything deleted with it."""
    row = await crud.restore(session, key, versions)
    set_etag(response, row)
    return row


# Your own routes go below this line.
