"""Logs: one line per request, with its id; no values of rows or requests."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError

from app.db.engine import build_engine
from app.logs import JsonFormatter
from app.settings import Settings

# A value that no line of code contains.
MARK = str(uuid4())


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Yield what is logged as JSON."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


async def test_one_line_per_request(client: httpx2.AsyncClient, log: StringIO) -> None:
    await client.get(f"/health/live?mark={MARK}", headers={"x-request-id": "order-4711"})
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (line,) = [line for line in lines if line["logger"] == "app.request"]
    assert line["request_id"] == "order-4711"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/health/live", 200)
    assert line["bytes"] == len('{"status":"ok"}')
    assert line["duration_ms"] > 0
    assert MARK not in str(line)


async def test_errors_are_logged_without_values(settings: Settings, log: StringIO) -> None:
    engine = build_engine(settings)
    statement = sa.text("SELECT no_such_column, :value")
    try:
        async with engine.connect() as connection:
            await connection.execute(statement, {"value": MARK})
    except DBAPIError:
        logging.getLogger("test").exception("failed")
    await engine.dispose()
    line = json.loads(log.getvalue())
    assert "test_errors_are_logged_without_values" in line["exception"]
    assert MARK not in log.getvalue()


async def test_request_id_reaches_the_lines_of_a_route(
    app: FastAPI,
    client: httpx2.AsyncClient,
    log: StringIO,
) -> None:
    logger = logging.getLogger("test")

    @app.get("/_log", include_in_schema=False)
    async def write() -> None:
        logger.warning("here")

    await client.get("/_log", headers={"x-request-id": "order-4711"})
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (line,) = [line for line in lines if line["logger"] == "test"]
    assert (line["message"], line["request_id"]) == ("here", "order-4711")
