"""Tables that change by the answers, with rows in them: one update, one revision, no row lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Render, git
from databases import Database, postgres, suite
from updating import commit, conflicts, update

Environment = Callable[[Path], Path]
OpenDatabase = Callable[..., Database]

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
# A field grows, one becomes optional, one goes, two come; a choice, a reference, two tables come.
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
AUTHORS = "INSERT INTO authors (name, email, bio, nickname) VALUES {}".format(
    ", ".join(f"('Ann {n}', 'ann{n}@example.com', 'Writes.', 'A{n}')" for n in (1, 2))
)
POSTS = "INSERT INTO posts (title, status, author_id) VALUES {}".format(
    ", ".join(f"('Title {n}', 'draft', {1 + n % 2})" for n in (1, 2, 3))
)
_JOINED = "FROM posts JOIN authors ON authors.id = author_id ORDER BY posts.id"
ROWS_BEFORE = f"SELECT posts.id, title, status, name, bio {_JOINED}"
ROWS_AFTER = f"SELECT posts.id, title, status, name, bio, karma, editor_id, rating {_JOINED}"

VARIANTS = {
    f"{mode}-{database}": {"mode": mode, "database": database}
    for mode in ("async", "sync")
    for database in ("postgresql", "sqlite")
}


@pytest.fixture(scope="session")
def server(rendered: Render, environment: Environment) -> Iterator[str]:
    """Run one PostgreSQL for all tests; give its URL."""
    project = rendered(mode="sync")
    with postgres(project, environment(project)) as url:
        yield url


@pytest.fixture
def open_database(
    request: pytest.FixtureRequest, environment: Environment, tmp_path: Path
) -> OpenDatabase:
    """Make a new database for a project, of the kind that its answers say."""
    number = 0

    def open_(project: Path, database: str) -> Database:
        nonlocal number
        number += 1
        python = environment(project)
        if database == "sqlite":
            return Database(project, python, f"sqlite:///{tmp_path / f'{number}.db'}")
        url = request.getfixturevalue("server")
        name = f"d{abs(hash(tmp_path))}_{number}"
        Database(project, python, url).sql(f"CREATE DATABASE {name}")
        return Database(project, python, url.replace("/postgres?", f"/{name}?"))

    return open_


@pytest.mark.parametrize("variant", VARIANTS)
def test_tables_grow_by_one_update_and_one_revision(
    variant: str, render: Render, open_database: OpenDatabase
) -> None:
    answers: dict[str, Any] = VARIANTS[variant]
    project = commit(render(resources=BEFORE, **answers))
    database = open_database(project, answers["database"])
    database.alembic("upgrade", "head")
    database.sql(AUTHORS, POSTS)
    rows = database.sql(ROWS_BEFORE)

    update(project, resources=AFTER)
    assert not conflicts(project)
    revision = database.write_revision("Grow")
    assert "DATA LOSS: authors.nickname goes" in revision
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
    if variant in {"async-postgresql", "sync-sqlite"}:
        suite(project, database.python)


@pytest.mark.parametrize("database_kind", ["postgresql", "sqlite"])
def test_a_parent_table_is_altered_without_losing_its_children(
    database_kind: str, render: Render, open_database: OpenDatabase
) -> None:
    before = "author:\n  name: str(40)\npost:\n  title: str(9)\n  author: ref(author) on_delete=cascade"
    project = commit(render(resources=before, database=database_kind))
    database = open_database(project, database_kind)
    database.alembic("upgrade", "head")
    database.sql(
        "INSERT INTO authors (name) VALUES ('Ann')",
        "INSERT INTO posts (title, author_id) VALUES ('Title', 1)",
    )
    update(project, resources=before.replace("str(40)", "str(50) index"))
    database.write_revision("Longer names")
    database.alembic("upgrade", "head")
    assert database.sql("SELECT title FROM posts") == [["Title"]]
