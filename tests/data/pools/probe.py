"""The application with routes that do nothing but use the database."""

import inspect
from collections.abc import Callable
from typing import Any

from app.db import session as module
from app.db.session import ReadSessionDep, SessionDep
from app.main import create_app as create_real_app
from app.routing import Route
from app.settings import Settings
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session

ASYNC = "run_in_threadpool" not in inspect.getsource(module)
router = APIRouter(prefix="/probe", route_class=Route)


class Answer(BaseModel):
    """A value from the database."""

    value: str


def route(
    method: str, path: str, session_type: Any = SessionDep
) -> Callable[[Callable[[Session, Request], object]], None]:
    """Add a route, asynchronous or not as the project's own are."""

    def add(work: Callable[[Session, Request], object]) -> None:
        async def run_async(session: session_type, request: Request) -> Answer:
            return Answer(value=str(await session.run_sync(work, request)))

        def run_sync(session: session_type, request: Request) -> Answer:
            return Answer(value=str(work(session, request)))

        router.add_api_route(path, run_async if ASYNC else run_sync, methods=[method])

    return add


@route("GET", "/one")
def one(session: Session, _request: Request) -> object:
    return session.scalar(text("SELECT 1"))


@route("POST", "/rows")
def add_row(session: Session, _request: Request) -> object:
    """Read, then write what was read, in one transaction."""
    count = session.scalar(text("SELECT count(*) FROM probe"))
    session.execute(text("INSERT INTO probe VALUES (:count)"), {"count": count})
    return count


@route("GET", "/locked")
def locked(session: Session, _request: Request) -> object:
    """Wait for a lock that a test holds."""
    session.execute(text("SELECT pg_advisory_xact_lock_shared(1)"))
    return "locked"


@route("GET", "/settings/{name}", ReadSessionDep)
def setting(session: Session, request: Request) -> object:
    """Return a setting of a reading session's connection."""
    # On the connection: a session that only reads refuses plain text.
    query = text("SELECT current_setting(:name)")
    return session.connection().scalar(query, {"name": request.path_params["name"]})


@route("GET", "/slow")
def slow(session: Session, _request: Request) -> object:
    session.execute(text("SELECT pg_sleep(10)"))
    return "slow"


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application with the routes above."""
    app = create_real_app(settings)
    app.include_router(router)
    return app
