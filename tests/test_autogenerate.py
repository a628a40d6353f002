"""Revisions that a project writes: what they refuse, what they warn of, and what they offer."""

from pathlib import Path

import pytest

from conftest import Environment, Render
from databases import Database, postgres
from updating import commit, edit, update

RESOURCES = """\
book:
  title: str(100)
  pages: int
  note: text optional
shelf:
  name: str(40)
  floor: int
  room: str(10)
"""


@pytest.fixture
def library(render: Render, environment: Environment, tmp_path: Path) -> Database:
    """Give a project on SQLite, with a database that has a row in each table."""
    project = commit(render(resources=RESOURCES, database="sqlite", mode="sync"))
    database = Database(project, environment(project), f"sqlite:///{tmp_path / 'library.db'}")
    database.alembic("upgrade", "head")
    database.sql(
        "INSERT INTO books (title, pages, note) VALUES ('Emma', 474, 'Good.')",
        "INSERT INTO shelves (name, floor, room) VALUES ('A', 1, 'Hall')",
    )
    return database


def test_nothing_to_write_writes_nothing(library: Database) -> None:
    assert library.write_revision("Nothing") == ""


def test_a_required_column_without_a_default_is_refused_with_the_remedy(library: Database) -> None:
    update(library.project, resources=RESOURCES.replace("  note", "  price: int\n  note"))
    with pytest.raises(pytest.fail.Exception) as refused:
        library.write_revision("Prices")
    assert "books.price" in str(refused.value)
    assert "`default=` in the resources answer" in str(refused.value)
    with pytest.raises(pytest.fail.Exception, match=r"books\.price"):
        library.alembic("revision", "--autogenerate", "-m", "Prices")


def test_the_remedy_works_by_a_default(library: Database) -> None:
    update(library.project, resources=RESOURCES.replace("  note", "  price: int default=9\n  note"))
    library.write_revision("Prices")
    library.alembic("upgrade", "head")
    assert library.sql("SELECT price FROM books") == [[9]]


def test_the_remedy_works_in_two_steps(library: Database) -> None:
    new = RESOURCES.replace("  note", "  price: int optional\n  note")
    commit(update(library.project, resources=new))
    library.write_revision("Prices")
    commit(library.project)
    library.alembic("upgrade", "head")
    library.sql("UPDATE books SET price = pages")
    update(library.project, resources=new.replace("int optional", "int"))
    assert "Fails while books.price is NULL" in library.write_revision("All priced")
    library.alembic("upgrade", "head")
    library.alembic("check")
    assert library.sql("SELECT price FROM books") == [[474]]


def test_what_looks_like_a_renamed_column_is_pointed_out(library: Database) -> None:
    update(library.project, resources=RESOURCES.replace("note:", "remark:"))
    revision = " ".join(library.write_revision("Remarks").replace("#", "").split())
    assert "DATA LOSS: books.note is dropped with its data" in revision
    assert "If it was renamed" in revision


def test_what_looks_like_a_renamed_table_is_pointed_out(library: Database) -> None:
    new = RESOURCES.replace("shelf:", "rack:")
    update(library.project, resources=new, delete_files="shelf")
    revision = " ".join(library.write_revision("Racks").replace("#", "").split())
    assert "DATA LOSS: the table shelves is dropped with its data" in revision
    assert "If shelves was renamed to racks" in revision


def test_a_changed_default_is_seen(library: Database) -> None:
    update(library.project, resources=RESOURCES.replace("pages: int", "pages: int default=1"))
    assert 'server_default="1"' in library.write_revision("One page at least")
    library.alembic("upgrade", "head")
    library.alembic("check")


def test_an_index_on_a_full_table_offers_to_be_built_beside_the_traffic(
    render: Render, environment: Environment
) -> None:
    project = commit(render(resources=RESOURCES))
    python = environment(project)
    with postgres(project, python) as url:
        database = Database(project, python, url)
        database.alembic("upgrade", "head")
        update(project, resources=RESOURCES.replace("pages: int", "pages: int index"))
        revision = database.write_revision("Find by pages")
        assert "SET LOCAL lock_timeout = '3s'" in revision
        assert "postgresql_concurrently=True" in revision
        # Take the offer.
        (path,) = (project / "migrations" / "versions").glob("*find_by_pages.py")
        call = 'op.create_index(op.f("ix_books_pages"), "books", ["pages"], unique=False'
        block = "with op.get_context().autocommit_block():\n        "
        edit(project, str(path), (call, f"{block}{call}, postgresql_concurrently=True"))
        database.alembic("upgrade", "head")
        database.alembic("check")
        assert database.sql(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_books_pages'::regclass"
        ) == [[True]]
        database.alembic("downgrade", "-1")
