"""OpenTelemetry: what FastAPI does not export by itself. Free of cost when off."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import sqlalchemy as sa
from opentelemetry import metrics
from starlette.types import Scope

_meter = metrics.get_meter("app.db")

# Requests that waited for a connection in vain.
pool_timeouts = _meter.create_counter("db.client.connection.timeouts", unit="{timeout}")


def is_probe(scope: Scope) -> bool:
    """Whether a request is one of the probes, which would drown the others."""
    return str(scope["path"]).startswith("/health/")


def observe_pool(engine: sa.Engine) -> None:
    """Export how many connections of the pool are used and idle."""

    def count(_options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        pool: Any = engine.pool
        yield metrics.Observation(pool.checkedout(), {"db.client.connection.state": "used"})
        yield metrics.Observation(pool.checkedin(), {"db.client.connection.state": "idle"})

    _meter.create_observable_up_down_counter("db.client.connection.count", [count])


def trace_statements(engine: sa.Engine) -> None:
    """Add a span for each SQL statement; needs the `telemetry` extra."""
    module = import_module("opentelemetry.instrumentation.sqlalchemy")
    # Its own check does not know SQLAlchemy 2.1 yet.
    module.SQLAlchemyInstrumentor().instrument(engine=engine, skip_dep_check=True)
