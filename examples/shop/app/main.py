"""The application: `uvicorn --factory app.main:create_app`."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app import docs, errors, openapi, telemetry
from app.db.budget import connections_per_process
from app.db.engine import DatabaseUnavailableError, build_engines
from app.db.readiness import Readiness
from app.db.session import build_read_session_factory, build_session_factory
from app.middleware import RequestMiddleware
from app.routers import ROUTERS
from app.routing import Index
from app.settings import Settings, load_settings

logger = logging.getLogger(__name__)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    # Numbers and switches only: text may be secret.
    shown = {name: value for name, value in settings if isinstance(value, (int, float))}
    logger.info("Settings: %s", shown)
    logger.info("Connections per process: at most %d", connections_per_process(settings))
    engine, read_engine = build_engines(settings)
    app.state.session_factory = build_session_factory(engine)
    app.state.read_session_factory = build_read_session_factory(read_engine)
    # Without a replica, a listener on `read_engine` also receives the events of `engine`.
    pools = {"primary": read_engine.sync_engine}
    if settings.read_database_url:
        pools = {"primary": engine.sync_engine, "replica": read_engine.sync_engine}
    telemetry.observe_pools(pools, [each.pool for each in pools.values()])
    if settings.sql_spans:
        for each in pools.values():
            telemetry.trace_statements(each)
    readiness = Readiness(settings)
    app.state.readiness = readiness
    try:
        await readiness.check()
    except DatabaseUnavailableError as error:
        logger.warning("Not ready: %s", error)
    # Full garbage collections skip what lives as long as the application.
    gc.collect()
    gc.freeze()
    yield
    # Uvicorn cancels requests that outlast its timeout, but does not wait for them to end.
    if cancelled := {task for task in asyncio.all_tasks() if task.cancelling()}:
        await asyncio.wait(cancelled, timeout=5)
    gc.unfreeze()
    await readiness.close()
    await read_engine.dispose()
    await engine.dispose()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application. Settings default to the environment and `.env`.

    The lifespan owns the engine.
    """
    settings = settings or load_settings()
    app = FastAPI(
        title="Shop",
        description="Orders of a small shop.",
        generate_unique_id_function=openapi.operation_id,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs_enabled else None,
        # Exported logs would contain values of rows and requests.
        telemetry={"logs": False, "exclude": telemetry.is_probe},
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.add_middleware(RequestMiddleware, settings=settings)
    # Add your own middleware below this line; the last one added is the first to see a request.
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["ETag", "Link", "Location", "Retry-After", "X-Request-ID"],
        )
    errors.install(app)
    openapi.install(app)
    docs.install(app)
    index = Index()
    for router in ROUTERS:
        index.include_router(router)
    app.include_router(index)
    return app
