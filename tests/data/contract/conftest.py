"""A client of the application whose requests really commit, and the plans of its statements."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from app.db.engine import build_engine
from app.main import create_app
from app.settings import Settings
from fastapi.testclient import TestClient
from sqlalchemy import event


@pytest.fixture(scope="session")
def run_sql(settings: Settings) -> Callable[..., None]:
    """Return a function that runs statements, each in its own transaction."""
    url = settings.sqlalchemy_url

    def run(*statements: str) -> None:
        engine: Any = build_engine(settings)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        engine.dispose()

    async def run_async(*statements: str) -> None:
        engine: Any = build_engine(settings)
        async with engine.connect() as opened:
            connection = await opened.execution_options(isolation_level="AUTOCOMMIT")
            for statement in statements:
                await connection.execute(sa.text(statement))
        await engine.dispose()

    def run_sqlite(*statements: str) -> None:
        connection = sqlite3.connect(str(url.database), isolation_level=None)
        for statement in statements:
            connection.execute(statement)
        connection.close()

    if url.get_backend_name() == "sqlite":
        return run_sqlite
    if hasattr(build_engine(settings), "sync_engine"):
        return lambda *statements: asyncio.run(run_async(*statements))
    return run


@pytest.fixture(scope="session")
def api(settings: Settings) -> Iterator[TestClient]:
    """Yield a client of the whole application, its lifespan included."""
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="session")
def parameters(api: TestClient) -> dict[str, Any]:
    """Return the documented query parameters of the list of entries, by name."""
    document: Any = api.app.openapi()
    listed = document["paths"]["/entries"]["get"]["parameters"]
    return {each["name"]: each["schema"] for each in listed if each["in"] == "query"}


@pytest.fixture(scope="session")
def sorts(parameters: dict[str, Any]) -> list[str]:
    """Return every sort order."""
    return list(parameters["sort"]["enum"])


@dataclass
class Plan:
    """How the database executes one SELECT."""

    statement: str
    text: str
    # The rows its scans read, on PostgreSQL.
    read: int = 0
    nodes: list[str] = field(default_factory=list)


def parse(statement: str, rows: Any, dialect: str) -> Plan:
    """Return the plan in the result of EXPLAIN."""
    if dialect == "sqlite":
        return Plan(statement, "\n".join(row[-1] for row in rows))
    plan = Plan(statement, str(rows[0][0]))

    def walk(node: dict[str, Any]) -> None:
        plan.nodes.append(f"{node['Node Type']} {node.get('Index Name', '')}".strip())
        if "Scan" in node["Node Type"]:
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            plan.read += round(rows * node["Actual Loops"])
        for child in node.get("Plans", []):
            walk(child)

    content = rows[0][0]
    walk((json.loads(content) if isinstance(content, str) else content)[0]["Plan"])
    return plan


@pytest.fixture
def plans() -> Iterator[Any]:
    """Yield a context manager that collects the plans of all SELECTs on entries."""
    collected: list[Plan] | None = None

    def explain(connection: sa.Connection, _cursor: Any, statement: str, values: Any, *_: Any):
        nonlocal collected
        if collected is None or not statement.startswith("SELECT entries."):
            return
        plans, collected = collected, None
        dialect = connection.dialect.name
        explain = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN (ANALYZE, FORMAT JSON)"
        rows = connection.exec_driver_sql(f"{explain} {statement}", values).all()
        plans.append(parse(statement, rows, dialect))
        collected = plans

    @contextmanager
    def collect() -> Iterator[list[Plan]]:
        nonlocal collected
        collected = plans = []
        yield plans
        collected = None

    event.listen(sa.Engine, "before_cursor_execute", explain)
    yield collect
    event.remove(sa.Engine, "before_cursor_execute", explain)
