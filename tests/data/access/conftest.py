"""Two accounts with rows, as plain sessions and clients: the same tests run in both modes."""

import functools
import inspect
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from app.db.models import Article, Comment, Folder, Note, Tag
from app.db.scope import Owned, Scope, enter
from sqlalchemy import orm
from tests.accounts import make_account

ASYNC = inspect.iscoroutinefunction(make_account)
if ASYNC:
    from sqlalchemy.util import await_only, greenlet_spawn

    @pytest.fixture(autouse=True)
    def _backend(anyio_backend: str) -> None:
        """Let plain functions use asynchronous fixtures."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run each test where what would block can be awaited."""
    if ASYNC and isinstance(item, pytest.Function) and not inspect.iscoroutinefunction(item.obj):
        function = item.obj

        @functools.wraps(function)
        async def run(**arguments: Any) -> None:
            await greenlet_spawn(function, **arguments)

        item.obj = run


# Without a back reference: a flush deletes its rows although they have not changed.
Article.remarks = orm.relationship(
    Comment,
    foreign_keys=Comment.article_id,
    cascade="all, delete-orphan",
    overlaps="comments,article",
)
# Loaded by a statement of its own, which does not SELECT the class that it counts.
Tag.note_count = orm.column_property(
    sa.select(sa.func.count(Note.id)).where(Note.tag_id == Tag.id).scalar_subquery(), deferred=True
)


class Review(Article):
    """A subclass without a table of its own: its base class must keep all rows."""


SOFT = "deleted_at" in Note.__table__.c
MODELS: list[type[Any]] = [Folder, Note, Tag, Article, Comment]


@dataclass
class Rows:
    """Rows of one account."""

    folder: int
    child: int
    note: int
    article: int
    comment: int


@dataclass
class World:
    """Two accounts; the rows of the second are made when a test asks for them."""

    mine: orm.Session
    others: orm.Session
    system: orm.Session
    tag: int
    own: Rows
    theirs: Rows | None = None

    def populate(self) -> Rows:
        """Make the rows of the other account."""
        self.theirs = make_rows(self.others, "their", self.tag, self.own.article)
        self.others.expunge_all()
        return self.theirs

    def snapshot(self) -> dict[str, list[Any]]:
        """Return what the other account has, and every owner and reference, past all filters."""
        connection = self.system.connection()
        other = self.others.info["scope"].account_id
        found = {}
        for model in MODELS:
            table: Any = model.__table__
            columns = [table] if issubclass(model, Owned) else [table.c.id]
            rows = sa.select(*columns).order_by(table.c.id)
            if issubclass(model, Owned):
                rows = rows.where(table.c.owner_id == other)
            rows = rows.execution_options(unscoped=True)
            found[table.name] = [tuple(row) for row in connection.execute(rows)]
        return found

    def stray(self) -> list[Any]:
        """Return the private rows that reference private rows of another account."""
        folders, notes = Folder.__table__.c, Note.__table__.c
        parents = Folder.__table__.alias()
        connection = self.system.connection()
        found = []
        for child, key in ((notes, notes.folder_id), (folders, folders.parent_id)):
            rows = sa.select(child.id).where(key == parents.c.id)
            rows = rows.where(child.owner_id != parents.c.owner_id)
            found += connection.execute(rows.execution_options(unscoped=True)).all()
        return found


def make_rows(session: orm.Session, who: str, tag: int, article: int | None) -> Rows:
    """Make rows of a session's account: all names begin with whose they are."""
    folder = Folder(name=f"{who} folder")
    child = Folder(name=f"{who} child", parent=folder)
    own = Article(title=f"{who} article", slug=f"{who} article")
    session.add_all([folder, child, own])
    session.flush()
    note = Note(title=f"{who} note", slug=f"{who} note", folder_id=folder.id, tag_id=tag)
    note.article_id = article or own.id
    comment = Comment(text=f"{who} comment", article_id=article or own.id)
    session.add_all([note, comment])
    session.flush()
    return Rows(folder.id, child.id, note.id, own.id, comment.id)


def plain(session: Any) -> orm.Session:
    """Return the session that does the work of an AsyncSession."""
    found: orm.Session = getattr(session, "sync_session", session)
    return found


def build_world(session: Any, other_session: Any, open_session: Any) -> World:
    """Return a world with the rows of the first account."""
    mine, others, system = plain(session), plain(other_session), plain(open_session)
    enter(system, Scope.system())
    tag = Tag(name="tag")
    mine.add(tag)
    mine.flush()
    own = make_rows(mine, "own", tag.id, None)
    mine.expunge_all()
    return World(mine, others, system, tag.id, own)


if ASYNC:

    @pytest.fixture
    async def world(session: Any, other_session: Any, open_session: Any) -> World:
        """Yield both accounts."""
        return await greenlet_spawn(build_world, session, other_session, open_session)

else:

    @pytest.fixture
    def world(session: Any, other_session: Any, open_session: Any) -> World:
        """Return both accounts."""
        return build_world(session, other_session, open_session)


@dataclass
class Client:
    """A client whose requests block."""

    client: Any
    statements: list[str]

    def send(self, method: str, url: str, **options: Any) -> Any:
        """Send a request; return the response."""
        options["headers"] = {"X-Request-ID": "0123456789abcdef", **options.get("headers", {})}
        response = self.client.request(method, url, **options)
        return await_only(response) if ASYNC else response

    def see(self, method: str, url: str, **options: Any) -> tuple[Any, ...]:
        """Send a request; return all that can be seen of the response, and its statements."""
        before = len(self.statements)
        response = self.send(method, url, **options)
        sent = len(self.statements) - before
        assert response.status_code < 500
        return response.status_code, response.content, sorted(response.headers.items()), sent


@pytest.fixture
def me(client: Any, statements: list[str]) -> Client:
    """Return the client of the first account."""
    return Client(client, statements)


@pytest.fixture
def them(other_client: Any, statements: list[str]) -> Client:
    """Return the client of the second account."""
    return Client(other_client, statements)


@pytest.fixture
def nobody(anonymous: Any, statements: list[str]) -> Client:
    """Return a client that has not signed in."""
    return Client(anonymous, statements)
