"""Answers that change on a live database: one update, one revision, no row lost."""

import sqlite3

import pytest

from conftest import Environment, OpenDatabase, Render
from projects import ROOT, check, check_code, git, run
from updating import commit, conflicts, update
from variants import DIRECT, OPEN, THOROUGH

BEFORE = """\
author:
  name: str(40)
  email: email unique
  bio: text
  nickname: str(30) optional
post:
  title: str(100)
  status: enum(draft, published) default=draft
  author: ref(author)
"""
# Widens a field, makes one optional, drops one; adds two, an enum value, a ref and two tables.
AFTER = """\
author:
  name: str(80)
  email: email unique
  bio: text optional
  karma: int default=7 index
post:
  title: str(100)
  status: enum(draft, published, archived) default=published
  author: ref(author)
  editor: ref(author) optional as=edited
  rating: decimal(4, 2) optional
tag:
  name: str(50) unique
tagging:
  post: ref(post) on_delete=cascade
  tag: ref(tag) on_delete=cascade
  _unique: [post, tag]
"""
AUTHORS = """INSERT INTO authors (name, email, bio, nickname) VALUES
('Ann', 'ann@example.com', 'Writes.', 'A'), ('Ben', 'ben@example.com', 'Reads.', NULL)"""
POSTS = """INSERT INTO posts (title, status, author_id) VALUES
('One', 'draft', 1), ('Two', 'published', 2), ('Three', 'draft', 1)"""
_JOINED = "FROM posts JOIN authors ON authors.id = author_id ORDER BY posts.id"
ROWS_BEFORE = f"SELECT posts.id, title, status, name, bio {_JOINED}"
ROWS_AFTER = f"SELECT posts.id, title, status, name, bio, karma, editor_id, rating {_JOINED}"


@pytest.mark.parametrize(
    "variant", DIRECT if THOROUGH else ["async-postgresql", "sync-sqlite-soft"]
)
def test_tables_grow_by_one_update_and_one_revision(
    variant: str, render: Render, open_database: OpenDatabase
) -> None:
    answers = OPEN[variant]
    project = commit(render(resources=BEFORE, **answers))
    database = open_database(project, answers["database"])
    database.alembic("upgrade", "head")
    database.sql(AUTHORS, POSTS)
    rows = database.sql(ROWS_BEFORE)

    update(project, resources=AFTER)
    assert not conflicts(project)
    revision = database.write_revision("Grow")
    assert "DATA LOSS: authors.nickname is dropped" in revision
    assert git(project, "diff", "--", "migrations/versions") == ""

    database.alembic("upgrade", "head")
    database.alembic("check")
    assert database.sql(ROWS_AFTER) == [[*row, 7, None, None] for row in rows]
    database.sql("INSERT INTO tags (name) VALUES ('new')")

    database.alembic("downgrade", "-1")
    assert database.sql(ROWS_BEFORE) == rows
    database.alembic("upgrade", "head")
    database.alembic("check")
    assert database.sql(ROWS_AFTER) == [[*row, 7, None, None] for row in rows]
    check(project, database.python)


CASCADE = """\
author:
  name: str(40)
post:
  title: str(9)
  author: ref(author) on_delete=cascade
"""


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_a_parent_table_is_altered_without_losing_its_children(
    database_kind: str, render: Render, open_database: OpenDatabase
) -> None:
    project = commit(render(resources=CASCADE, database=database_kind))
    database = open_database(project, database_kind)
    database.alembic("upgrade", "head")
    database.sql(
        "INSERT INTO authors (name) VALUES ('Ann')",
        "INSERT INTO posts (title, author_id) VALUES ('Title', 1)",
    )
    update(project, resources=CASCADE.replace("str(40)", "str(50) index"))
    database.write_revision("Longer names")
    database.alembic("upgrade", "head")
    assert database.sql("SELECT title FROM posts") == [["Title"]]


SOFT = """\
team:
  name: str(40) unique
member:
  email: email unique
  team: ref(team) on_delete=cascade
  mentor: ref(team) optional
"""
# How a database refuses a statement.
REFUSED = (sqlite3.IntegrityError, pytest.fail.Exception)
MARK = "UPDATE {} SET deleted_at = '2026-01-02 03:04:05.000006+00:00' WHERE {}"


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_switching_soft_delete_brings_no_deleted_row_back(
    kind: str, render: Render, open_database: OpenDatabase
) -> None:
    project = commit(render(resources=SOFT, database=kind, mode="sync"))
    database = open_database(project, kind)
    database.alembic("upgrade", "head")
    database.sql(
        "INSERT INTO teams (name) VALUES ('one'), ('two')",
        "INSERT INTO members (email, team_id, mentor_id)"
        " VALUES ('a@example.com', 1, 2), ('b@example.com', 2, 1)",
    )
    emails = "SELECT email FROM members ORDER BY email"

    commit(update(project, soft_delete=True))
    revision = database.write_revision("Keep deleted rows")
    assert "delete-hidden" in revision.partition("def downgrade")[2]
    commit(project)
    database.alembic("upgrade", "head")
    database.alembic("check")
    assert database.sql(emails) == [["a@example.com"], ["b@example.com"]]
    # Unique values of deleted rows can be reused; those of live rows cannot.
    again = "INSERT INTO members (email, team_id) VALUES ('b@example.com', 1)"
    with pytest.raises(REFUSED, match=r"(?i)unique"):
        database.sql(again)
    database.sql(MARK.format("members", "team_id = 2"), again)

    with pytest.raises(pytest.fail.Exception, match="1 in members"):
        database.alembic("downgrade", "-1")

    commit(update(project, soft_delete=False))
    revision = database.write_revision("Delete rows for good")
    assert "delete-hidden" in revision.partition("def downgrade")[0]
    with pytest.raises(pytest.fail.Exception, match="1 in members"):
        database.alembic("upgrade", "head")
    assert database.sql("SELECT count(*) FROM members") == [[3]]
    database.sql(MARK.format("teams", "id = 2"))
    database.alembic("-x", "delete-hidden=yes", "upgrade", "head")
    database.alembic("check")
    assert database.sql("SELECT email, team_id, mentor_id FROM members ORDER BY email") == [
        ["a@example.com", 1, None],
        ["b@example.com", 1, None],
    ]
    with pytest.raises(REFUSED, match=r"(?i)unique"):
        database.sql(again)


def test_mode_and_pooler_change_nothing_in_the_database(
    render: Render, environment: Environment, open_database: OpenDatabase
) -> None:
    project = commit(render(resources=SOFT))
    database = open_database(project, "postgresql")
    database.alembic("upgrade", "head")
    database.sql("INSERT INTO teams (name) VALUES ('one')")
    for answers in (
        {"mode": "sync"},
        {"pgbouncer": True},
        {"mode": "async"},
        {"pgbouncer": False},
    ):
        commit(update(project, **answers))
        database.python = environment(project)
        database.alembic("check")
        assert database.sql("SELECT name FROM teams") == [["one"]]


KINDS = """\
kind:
  name: str(9)
  parent: ref(kind) optional
thing:
  a: bigint
  b: float
  c: decimal(12, 2)
  d: bool
  e: date
  f: datetime
  g: uuid
  h: json
  i: enum(red, green)
  j: email optional
  kind: ref(kind)
"""
CARRIED = "SELECT a, b, c, d, e, f AT TIME ZONE 'UTC', g, h->'x'->>0, i, j, kind_id FROM things"
THING = """INSERT INTO things (a, b, c, d, e, f, g, h, i, kind_id) VALUES
(9007199254740993, 0.5, 12.34, 1, '2026-01-02', '2026-01-02 03:04:05.000006',
'00000000000040008000000000000001', '{"x": [1]}', 'green', 2)"""


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_sqlite_rows_are_copied_to_postgresql(
    mode: str, render: Render, open_database: OpenDatabase
) -> None:
    project = commit(render(resources=KINDS, database="sqlite", mode=mode))
    old = open_database(project, "sqlite")
    old.alembic("upgrade", "head")
    old.sql("INSERT INTO kinds (name) VALUES ('a'), ('b')", THING)
    old.sql("UPDATE kinds SET parent_id = 2 WHERE id = 1")
    update(project, database="postgresql")
    for path in (project / "migrations" / "versions").glob("*.py"):
        path.unlink()
    new = open_database(project, "postgresql")
    new.write_revision("Initial tables")
    new.alembic("upgrade", "head")
    new.alembic("check")
    script = ROOT / "docs" / "sqlite_to_postgresql.py"
    (project / script.name).write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    check_code(project, new.python)
    path = old.url.removeprefix("sqlite:///")
    run([str(new.python), script.name, path], project, DATABASE_URL=new.url)
    assert new.sql("SELECT name, parent_id FROM kinds ORDER BY id") == [["a", 2], ["b", None]]
    assert new.sql(CARRIED) == [
        [
            9007199254740993,
            0.5,
            "12.34",
            True,
            "2026-01-02",
            "2026-01-02 03:04:05.000006",
            "00000000-0000-4000-8000-000000000001",
            "1",
            "green",
            None,
            2,
        ]
    ]
    assert new.sql("INSERT INTO kinds (name) VALUES ('c') RETURNING id") == [[3]]
