"""How PostgreSQL finds live rows among a million rows, 90 % of them deleted."""

import json

import sqlalchemy as sa
from sqlalchemy import event, func, select

from .models import Item

ROWS = """
    INSERT INTO items (id, owner_id, deleted_at)
    SELECT n, n % 1000, CASE WHEN n <= 900000 THEN now() - interval '1 day' END
    FROM generate_series(:first, :first + 99999) AS n
"""


def explain(session, statement):
    """Execute a statement; return the nodes of its plan."""
    sent = []

    def note(_connection, _cursor, sql, parameters, *_rest):
        sent.append((sql, parameters))

    connection = session.connection()
    event.listen(connection.engine, "before_cursor_execute", note)
    session.execute(statement).all()
    event.remove(connection.engine, "before_cursor_execute", note)
    sql, parameters = sent[-1]
    plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters).scalar()
    nodes = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", [])
    return nodes


def scan_of(nodes):
    (scan,) = (node for node in nodes if "Index Name" in node)
    return scan["Index Name"], scan["Actual Rows"], scan.get("Rows Removed by Filter", 0)


def test_live_rows_are_found_without_scanning_deleted_ones(session):
    # The oldest rows are deleted: a scan in order of age would read them all first.
    # In batches, so that each statement finishes within the driver's timeout on a slow machine.
    for first in range(1, 1_000_001, 100_000):
        session.execute(sa.text(ROWS), {"first": first})
    session.execute(sa.text("ANALYZE items"))

    page = select(Item).order_by(Item.id).limit(20)
    assert scan_of(explain(session, page)) == ("ix_items_id_live", 20, 0)
    page = select(Item).order_by(Item.id.desc()).limit(20).offset(100)
    assert scan_of(explain(session, page)) == ("ix_items_id_live", 120, 0)

    count = select(func.count()).select_from(Item)
    assert scan_of(explain(session, count))[0] == "ix_items_id_live"

    purge = (
        select(Item.id)
        .where(Item.deleted_at < func.now() - sa.text("interval '1 hour'"))
        .order_by(Item.deleted_at)
        .limit(100)
        .execution_options(include_deleted=True)
    )
    assert scan_of(explain(session, purge)) == ("ix_items_deleted_at", 100, 0)
