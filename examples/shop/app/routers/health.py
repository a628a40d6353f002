"""Liveness and readiness probes."""

from fastapi import APIRouter, Request

from app.db.readiness import Readiness
from app.errors import problems
from app.routing import Route

router = APIRouter(prefix="/health", tags=["health"], route_class=Route)


@router.get("/live")
async def live() -> dict[str, str]:
    """Liveness: does not touch the database."""
    return {"status": "ok"}


@router.get("/ready", responses=problems("unavailable"))
async def ready(request: Request) -> dict[str, str]:
    """Readiness: the database responds within two seconds and is migrated."""
    readiness: Readiness = request.app.state.readiness
    await readiness.check()
    return {"status": "ok"}
