"""No order sorts a large table, filters use their index, and no page reads more than its rows."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from app.settings import Settings
from fastapi.testclient import TestClient

ROWS = 50_000
AUTHORS = 1000
# Rows that one page may read: its limit, one more, and what an index scan passes on the way.
BOUND = 150

FILL = {
    "postgresql": """
        INSERT INTO entries
            (title, rank, points, weight, price, day, at, code, author_id, note, status)
        SELECT 'title ' || i, i, i, i, i, DATE '1950-01-01' + i % 27000,
            TIMESTAMPTZ '2000-01-01Z' + i * INTERVAL '1 hour', gen_random_uuid(),
            1 + i % {authors}, 'note ' || i, 'draft'
        FROM generate_series(1, {rows}) AS i
    """,
    "sqlite": """
        WITH RECURSIVE numbers (i) AS
            (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {rows})
        INSERT INTO entries
            (title, rank, points, weight, price, day, at, code, author_id, note, status)
        SELECT 'title ' || i, i, i, i, i, date('1950-01-01', (i % 27000) || ' days'),
            strftime('%Y-%m-%d %H:%M:%S.000000', '2000-01-01', i || ' hours'),
            lower(hex(randomblob(16))), 1 + i % {authors}, 'note ' || i, 'draft'
        FROM numbers
    """,
}
FILL_AUTHORS = {
    "postgresql": "INSERT INTO authors (name) SELECT 'name ' || i FROM generate_series(1, {}) AS i",
    "sqlite": """
        WITH RECURSIVE numbers (i) AS
            (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {})
        INSERT INTO authors (name) SELECT 'name ' || i FROM numbers
    """,
}

# One value for each filter that has an index, and how many rows match.
SELECTIVE = {
    "title": "title 25000",
    "rank": "25000",
    "points": "25000",
    "weight": "25000",
    "price": "25000.00",
    "day": "1960-05-05",
    "at": "2001-01-01T00:00:00Z",
    "code": "00000000-0000-4000-8000-000000000000",
    "author_id": "500",
    "note": "note 25000",
}


@pytest.fixture(scope="module", autouse=True)
def _large_table(settings: Settings, run_sql: Any) -> Iterator[None]:
    """Fill the tables, and empty them afterwards."""
    dialect = settings.sqlalchemy_url.get_backend_name()
    empty = ["DELETE FROM entries", "DELETE FROM authors"]
    fill = [FILL_AUTHORS[dialect].format(AUTHORS), FILL[dialect].format(rows=ROWS, authors=AUTHORS)]
    if dialect == "postgresql":
        empty = ["TRUNCATE entries, authors RESTART IDENTITY"]
        fill.append("VACUUM ANALYZE entries")
    run_sql(*empty, *fill)
    yield
    run_sql(*empty)


def check(plan: Any, *, sorted_by_index: bool = True) -> None:
    """Check that a plan reads few rows, by an index."""
    if plan.nodes:
        assert not any(node.startswith("Seq Scan") for node in plan.nodes), plan
        assert plan.read <= BOUND, plan
        if sorted_by_index:
            # An incremental sort orders rows of equal values only.
            assert not any(node.startswith("Sort") for node in plan.nodes), plan
    elif sorted_by_index:
        assert "TEMP B-TREE" not in plan.text, plan
        assert "INDEX" in plan.text or "PRIMARY KEY" in plan.text or "ORDER BY" not in plan.text
    else:
        assert "SEARCH entries USING" in plan.text, plan


def test_no_order_sorts_the_table(api: TestClient, plans: Any, sorts: list[str]) -> None:
    for sort in sorts:
        query = {"sort": sort, "limit": 20}
        with plans() as found:
            first = api.get("/entries", params=query)
            skipped = api.get("/entries", params={**query, "limit": 100, "offset": 10_000})
            cursor = skipped.json()["next_cursor"]
        assert len(first.json()["items"]) == 20
        first_plan, _skipped_plan = found
        check(first_plan)
        with plans() as found:
            later = api.get("/entries", params={**query, "cursor": cursor})
        assert len(later.json()["items"]) == 20, later.text
        (plan,) = found
        check(plan)
        if not plan.nodes and sort.lstrip("-") != "id":
            assert "SEARCH entries USING" in plan.text, plan


def test_the_last_page_reads_no_more_than_the_first(api: TestClient, plans: Any) -> None:
    query: dict[str, Any] = {"sort": "-rank", "limit": 100}
    page = api.get("/entries", params={**query, "offset": 10_000}).json()
    pages = 1
    while page["next_cursor"] is not None:
        query["cursor"] = page["next_cursor"]
        page = api.get("/entries", params=query).json()
        pages += 1
    assert pages == (ROWS - 10_000) / 100
    with plans() as found:
        assert api.get("/entries", params=query).json() == page
    (plan,) = found
    check(plan)


@pytest.mark.parametrize("name", SELECTIVE)
def test_a_filter_uses_its_index(api: TestClient, plans: Any, name: str) -> None:
    with plans() as found:
        response = api.get("/entries", params={name: SELECTIVE[name], "limit": 20})
    assert response.status_code == 200, response.text
    (plan,) = found
    check(plan, sorted_by_index=False)
    with plans() as found:
        response = api.get("/entries", params={name: [SELECTIVE[name]] * 2, "limit": 20})
    assert response.status_code in {200, 422}, response.text


def test_a_range_uses_its_index(api: TestClient, plans: Any, parameters: dict[str, Any]) -> None:
    ranges = [name for name in SELECTIVE if f"{name}[gte]" in parameters]
    assert len(ranges) >= 6
    for name in ranges:
        query = {f"{name}[gte]": SELECTIVE[name], "sort": name, "limit": 20}
        with plans() as found:
            assert api.get("/entries", params=query).status_code == 200
        (plan,) = found
        check(plan)
        if not plan.nodes:
            assert "SEARCH entries USING" in plan.text, plan


def test_the_page_costs_one_statement_and_no_count(api: TestClient) -> None:
    sent: list[str] = []

    def watch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", watch)
    try:
        assert "total" not in api.get("/entries").json()
        assert len(sent) == 1
        assert api.get("/entries", params={"total": "true"}).json()["total"] == ROWS
        assert len(sent) == 3
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", watch)
