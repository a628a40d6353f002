"""OpenTelemetry metrics and spans that FastAPI does not export itself. Free when off."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from opentelemetry import metrics, trace
from sqlalchemy import event
from starlette.types import Scope

_meter = metrics.get_meter("app.db")

# Requests that timed out waiting for a connection.
pool_timeouts = _meter.create_counter("db.client.connection.timeouts", unit="{timeout}")


def is_probe(scope: Scope) -> bool:
    """Whether a request is one of the probes, which would drown out the others."""
    return str(scope["path"]).startswith("/health/")


def observe_pools(engines: Mapping[str, sa.Engine], queues: Collection[Any]) -> None:
    """Export the used and idle connections of each pool, and the requests waiting in queues."""

    def count(_options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        for name, engine in engines.items():
            pool: Any = engine.pool
            for state, number in (("used", pool.checkedout()), ("idle", pool.checkedin())):
                attributes = {
                    "db.client.connection.pool.name": name,
                    "db.client.connection.state": state,
                }
                yield metrics.Observation(number, attributes)

    def count_waiting(_options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        yield metrics.Observation(sum(queue.waiting for queue in queues))

    _meter.create_observable_up_down_counter("db.client.connection.count", [count])
    _meter.create_observable_up_down_counter(
        "db.client.connection.pending_requests",
        [count_waiting],
    )


def trace_statements(engine: sa.Engine) -> None:
    """Add a span for each SQL statement, without its values."""
    tracer = trace.get_tracer("app.db")

    def start(*arguments: Any) -> None:
        _connection, _cursor, statement, _parameters, context, _many = arguments
        attributes = {"db.system.name": engine.dialect.name, "db.query.text": statement}
        name = statement.split(None, 1)[0]
        kind = trace.SpanKind.CLIENT
        context.span = tracer.start_span(name, kind=kind, attributes=attributes)

    def end(*arguments: Any) -> None:
        _connection, _cursor, _statement, _parameters, context, _many = arguments
        context.span.end()

    def fail(error: sa.ExceptionContext) -> None:
        if span := getattr(error.execution_context, "span", None):
            span.set_status(trace.StatusCode.ERROR)
            span.end()

    event.listen(engine, "before_cursor_execute", start)
    event.listen(engine, "after_cursor_execute", end)
    # First, because the handler of app/db/engine.py raises.
    event.listen(engine, "handle_error", fail, insert=True)
