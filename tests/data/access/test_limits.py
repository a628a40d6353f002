"""The documented limits of app/db/scope.py, some of which tests/guard.py covers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from app.db.models import Account, Article, Comment, Folder, Note, Tag
from app.db.owners import CLASSES
from app.db.scope import ANONYMOUS, NotOwnerError, Private, Public, ScopeError, Shared, enter
from sqlalchemy import orm, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.schema import CreateSequence
from sqlalchemy.sql import quoted_name
from tests.guard import check_statement

from .conftest import World

NOTES: Any = Note.__table__
ALIAS, CHILD = orm.aliased(Note), orm.aliased(Folder)
QUOTED = orm.aliased(Note, name="my-notes")

LOWER: Any = sa.func.lower(Note.title) == "their note"
JOINED: Any = sa.func.coalesce(Note.tag_id, 0)
EVERYTHING: Any = sa.literal_column("title = '' OR title > ''")
THEIRS: Any = select(sa.func.max(Note.title)).scalar_subquery()
OTHERS: Any = orm.with_loader_criteria(Note, EVERYTHING)


def _rows_of_values() -> Any:
    """Build a VALUES list with a subquery, which a walk through the statement does not reach."""
    return sa.values(sa.column("title", sa.Text), name="found").data([(THEIRS,)])


def _joined(name: str, **options: str) -> Any:
    """Select from a table that no class knows."""
    table = sa.table(name, sa.column("title"), sa.column("tag_id"), **options)
    return select(Tag.name, table.c.title).join(table, table.c.tag_id == Tag.id)


class Shout(sa.ColumnElement[str]):
    """An element whose parts SQLAlchemy does not know, so that a walk does not reach them."""

    inherit_cache = True
    type = sa.Text()

    def __init__(self, value: Any) -> None:
        self.value = value


@compiles(Shout)
def _shout(element: Any, compiler: Any, **options: Any) -> str:
    return f"upper({compiler.process(element.value, **options)})"


class Explain(sa.Executable, sa.ClauseElement):
    """A statement that is not one of SQLAlchemy's."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(Explain)
def _explain(element: Any, compiler: Any, **options: Any) -> str:
    return f"EXPLAIN {compiler.process(element.statement, **options)}"


# SQLAlchemy overlooks the class, or would need it to be named.
UNFILTERED: dict[str, Callable[[orm.Session], Any]] = {
    "table": lambda session: session.execute(select(Tag.name, NOTES.c.title).join(NOTES)),
    "table_of_a_schema": lambda session: session.execute(_joined("notes", schema="main")),
    "table_in_capitals": lambda session: session.execute(_joined("NOTES")),
    "quoted_table": lambda session: session.execute(_joined(quoted_name("notes", quote=True))),
    "table_of_its_own": lambda session: session.execute(
        select(Tag.name).where(Tag.id.in_(select(NOTES.c.tag_id).where(Tag.id > 0)))
    ),
    "literal_column": lambda session: session.execute(
        select(Tag.name, sa.literal_column("(select max(title) from notes)"))
    ),
    "literal_column_of_a_schema": lambda session: session.execute(
        select(Tag.name, sa.literal_column("(select max(title) from main.notes)"))
    ),
    "literal_column_alone": lambda session: session.execute(
        select(sa.literal_column("(select max(title) from notes)"))
    ),
    "literal_or": lambda session: session.execute(
        select(Note).where(sa.literal_column("1=1 OR 1=1"))
    ),
    "literal_comment": lambda session: session.execute(
        select(Note).where(sa.literal_column("1=1 --"))
    ),
    "literal_or_of_an_update": lambda session: session.execute(
        sa.update(Note).where(sa.literal_column("1=1 or 1=1")).values(title="mine")
    ),
    "literal_from": lambda session: session.execute(select(sa.literal_column("title FROM notes"))),
    "literal_of_two_statements": lambda session: session.execute(
        select(sa.literal_column("1; UPDATE notes SET title = 'mine'"))
    ),
    "literal_criteria": lambda session: session.execute(select(Note.title).options(OTHERS)),
    "literal_criteria_of_an_update": lambda session: session.execute(
        sa.update(Note).options(OTHERS).values(title="mine")
    ),
    "literal_in_a_loader": lambda session: session.scalars(
        select(Tag).options(orm.selectinload(Tag.notes.and_(EVERYTHING)))
    ).all(),
    "values": lambda session: session.execute(select(_rows_of_values().cte("found"))),
    "values_of_an_insert": lambda session: session.execute(
        sa.insert(Account).values([{"email": THEIRS}])
    ),
    "own_element": lambda session: session.execute(select(Shout(THEIRS))),
    "own_statement": lambda session: session.execute(Explain(select(Note.title))),
    "statement_hint": lambda session: session.execute(
        select(Note.id).with_statement_hint("OR true")
    ),
    "table_hint": lambda session: session.execute(
        select(Note.id).with_hint(Note, "JOIN notes AS others ON true")
    ),
    "suffix": lambda session: session.execute(
        select(Tag.name).suffix_with("UNION ALL SELECT title FROM notes")
    ),
    "literal_column_of_an_update": lambda session: session.execute(
        sa.update(Tag).values(name=sa.literal_column("(select max(title) from notes)"))
    ),
    "returned_literal_column": lambda session: session.execute(
        sa.update(Tag)
        .values(name="seen")
        .returning(sa.literal_column("(select max(title) from notes)"))
    ),
    "condition_of_a_subquery_in_an_update": lambda session: session.execute(
        sa.update(Tag)
        .where(sa.exists(select(1).where(LOWER, sa.func.coalesce(Note.owner_id == 2, sa.true()))))
        .values(name="seen")
    ),
    "outer_join_in_a_count": lambda session: session.execute(
        select(Tag.name, sa.func.count(Note.id))
        .select_from(orm.outerjoin(Tag, Note, Note.tag_id == Tag.id))
        .group_by(Tag.name)
    ),
    "class_to_itself": lambda session: session.execute(
        select(Folder.name).where(Folder.children.any(Folder.name == "their child"))
    ),
    "function_in_where": lambda session: session.scalar(select(sa.func.count()).where(LOWER)),
    "function_in_exists": lambda session: session.query(sa.exists().where(LOWER)).scalar(),
    "function_in_union": lambda session: session.execute(
        select(Tag.id).union(select(sa.func.count()).where(LOWER))
    ),
    "function_in_cte": lambda session: session.execute(
        select(select(sa.func.count().label("number")).where(LOWER).cte().c.number)
    ),
    "function_in_scalar_subquery": lambda session: session.execute(
        select(Tag.name, select(sa.func.count()).where(LOWER).scalar_subquery())
    ),
    "function_in_update": lambda session: session.execute(
        sa.update(Tag).where(sa.exists(select(1).where(LOWER))).values(name="seen")
    ),
    "function_beside_a_join": lambda session: session.execute(
        select(Tag.name, sa.func.count()).where(Tag.id == JOINED).group_by(Tag.name)
    ),
    "second_class_of_a_column": lambda session: session.execute(
        select(sa.func.max(Tag.name) + sa.func.max(Note.title)).where(Tag.id == JOINED)
    ),
    "joined_by_a_function": lambda session: session.scalar(
        select(sa.func.count(Tag.id)).select_from(orm.join(Tag, Note, Note.tag_id == Tag.id))
    ),
    "outer_joined_by_a_function": lambda session: session.scalar(
        select(sa.func.count(Tag.id)).select_from(orm.outerjoin(Tag, Note, Note.tag_id == Tag.id))
    ),
    "alias_of_a_column": lambda session: session.execute(
        select(sa.func.max(Tag.name) + sa.func.max(ALIAS.title)).where(
            sa.func.coalesce(ALIAS.tag_id, 0) == Tag.id
        )
    ),
}


@pytest.mark.parametrize("name", UNFILTERED)
def test_unfiltered_statement_is_refused(name: str, world: World) -> None:
    world.populate()
    with pytest.raises(ScopeError):
        UNFILTERED[name](world.mine)


@pytest.mark.parametrize("name", ["literal_from", "values", "own_element"])
def test_statement_is_refused_after_the_system_has_compiled_it(name: str, world: World) -> None:
    world.populate()
    UNFILTERED[name](world.system)
    with pytest.raises(ScopeError):
        UNFILTERED[name](world.mine)


def test_template_strings_are_text(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # `Template` is a type of Python 3.14.
    monkeypatch.setattr("sqlalchemy.sql.elements.Template", list)
    everything = sa.tstring(["title = '' OR title > ''"])  # type: ignore[arg-type]
    for statement in (sa.tstring(["SELECT title FROM notes"]), select(Note).where(everything)):  # type: ignore[arg-type]
        with pytest.raises(ScopeError):
            world.mine.execute(statement)


# The same questions, asked so that SQLAlchemy can filter them.
FILTERED: dict[str, Callable[[orm.Session], Any]] = {
    "select_from": lambda session: session.scalar(
        select(sa.func.count()).select_from(Note).where(LOWER)
    ),
    "column": lambda session: session.scalar(select(sa.func.count(Note.id)).where(LOWER)),
    "exists": lambda session: session.scalar(
        select(sa.func.count(Tag.id)).where(sa.exists(select(Note.id).where(LOWER)))
    ),
    "join": lambda session: session.scalar(
        select(sa.func.count(Tag.id)).join(Note, Note.tag_id == Tag.id).where(LOWER)
    ),
    "outer_join": lambda session: session.scalar(
        select(sa.func.count(Note.id)).select_from(Tag).outerjoin(Note).where(LOWER)
    ),
    "label_like_a_table": lambda session: session.scalars(
        select(select(sa.func.count(Note.id)).where(LOWER).scalar_subquery().label("notes"))
        .select_from(Tag)
        .order_by(Tag.id, "notes")
    ).one(),
    "alias_in_quotes": lambda session: session.scalar(
        select(sa.func.count(QUOTED.id)).where(sa.func.lower(QUOTED.title) == "their note")
    ),
    "alias": lambda session: session.scalar(
        select(sa.func.count(Folder.id)).where(
            Folder.children.of_type(CHILD).any(CHILD.name == "their child")
        )
    ),
}


@pytest.mark.parametrize("name", FILTERED)
def test_filtered_statement_finds_own_rows_only(name: str, world: World) -> None:
    world.populate()
    assert FILTERED[name](world.mine) == 0
    assert FILTERED[name](world.others) == 1


def test_own_element_in_an_update_reads_own_rows_only(world: World) -> None:
    world.populate()
    world.mine.execute(sa.update(Tag).values(name=Shout(THEIRS)))
    assert world.mine.scalar(select(Tag.name)) == "OWN NOTE"


def test_shared_rows_are_hidden_from_anonymous_sessions_in_functions_too(world: World) -> None:
    session = world.mine
    del session.info["scope"]
    enter(session, ANONYMOUS)
    assert session.scalar(select(sa.func.count()).select_from(Tag)) == 0
    with pytest.raises(ScopeError):
        session.scalar(select(sa.func.count()).where(sa.func.lower(Tag.name) != ""))


VALUES: dict[str, Any] = {
    "subquery": select(sa.func.max(Note.title)).scalar_subquery(),
    "attribute": Note.title,
    "attribute_of_an_alias": ALIAS.title,
    "function_of_an_attribute": sa.func.lower(Note.title),
    "column": NOTES.c.title,
    "column_of_a_subquery": select(Note.title).subquery().c.title,
    "column_property": Tag.note_count,
    "literal_column": sa.literal_column("(select max(title) from notes)"),
    "values": sa.func.coalesce(_rows_of_values().scalar_values()),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("subject", [Tag, Folder])
@pytest.mark.parametrize("kind", ["new", "loaded"])
def test_value_of_an_object_reads_no_other_rows(
    kind: str, subject: type[Any], name: str, world: World
) -> None:
    world.populate()
    row = subject() if kind == "new" else world.mine.scalars(select(subject)).first()
    row.name = VALUES[name]
    world.mine.add(row)
    with pytest.raises(ScopeError):
        world.mine.flush()


def test_value_of_an_object_may_be_an_expression_of_its_row(world: World) -> None:
    folder: Any = world.mine.get(Folder, world.own.folder)
    note: Any = world.mine.get(Note, world.own.note)
    folder.name = Folder.name + "!"
    note.tag_id = sa.null()
    world.mine.flush()
    world.mine.refresh(folder)
    assert folder.name.endswith("!")


@pytest.mark.parametrize("name", ["function", "attribute"])
def test_expression_as_a_reference_to_a_private_row_is_refused(name: str, world: World) -> None:
    values: dict[str, Any] = {"function": sa.func.abs(world.own.folder), "attribute": Folder.id}
    folder: Any = world.mine.get(Folder, world.own.child)
    refused = pytest.raises(ScopeError, match="set parent_id to a value")
    with refused, world.mine.begin_nested():
        folder.parent_id = values[name]
        world.mine.flush()


def test_refresh_and_deferred_loads_are_filtered(world: World) -> None:
    world.populate()
    tag: Any = world.mine.get(Tag, world.tag)
    assert tag.note_count == 1
    world.mine.refresh(tag, ["note_count"])
    assert tag.note_count == 1
    new: Any = Tag(name="new")
    world.mine.add(new)
    world.mine.flush()
    assert new.note_count == 0


def test_parent_in_a_changed_collection_is_not_written(world: World) -> None:
    theirs = world.populate()
    article = world.mine.get(Article, theirs.article)
    world.mine.add(Comment(text="x", article=article))
    world.mine.flush()


@pytest.fixture
def base() -> Iterator[Any]:
    """Yield a base for classes that cannot be mapped; nothing is left of them."""

    class Base(orm.DeclarativeBase):
        pass

    known = dict(CLASSES)
    yield Base
    CLASSES.clear()
    CLASSES.update(known)
    Base.registry.dispose()


def test_sequence_can_be_read(world: World) -> None:
    if world.mine.get_bind().dialect.name == "postgresql":
        world.system.execute(CreateSequence(sa.Sequence("numbers")))
        assert world.mine.scalar(sa.Sequence("numbers")) == 1


def test_joined_inheritance_is_refused(base: Any) -> None:
    class Box(Private, base):
        __tablename__ = "boxes"
        id = orm.mapped_column(sa.Integer, primary_key=True)
        owner_id = orm.mapped_column(sa.Integer)

    with pytest.raises(TypeError, match="use a single table"):

        class Big(Box):
            __tablename__ = "bigs"
            id = orm.mapped_column(sa.ForeignKey("boxes.id"), primary_key=True)


def test_scoped_table_as_secondary_is_refused(base: Any) -> None:
    class Label(Shared, base):
        __tablename__ = "labels"
        id = orm.mapped_column(sa.Integer, primary_key=True)
        authors = orm.relationship("Author", secondary="links")

    class Author(base):
        __tablename__ = "authors"
        id = orm.mapped_column(sa.Integer, primary_key=True)

    class Link(Private, base):
        __tablename__ = "links"
        id = orm.mapped_column(sa.Integer, primary_key=True)
        owner_id = orm.mapped_column(sa.Integer)
        label_id = orm.mapped_column(sa.ForeignKey("labels.id"))
        author_id = orm.mapped_column(sa.ForeignKey("authors.id"))

    with pytest.raises(TypeError, match="association proxy"):
        orm.configure_mappers()


def test_collection_in_an_association_table_belongs_to_its_row(base: Any, world: World) -> None:
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("post_id", sa.ForeignKey("posts.id"), primary_key=True),
        sa.Column("label_id", sa.ForeignKey("labels.id"), primary_key=True),
    )

    class Label(base):
        __tablename__ = "labels"
        id = orm.mapped_column(sa.Integer, primary_key=True)

    class Post(Public, base):
        __tablename__ = "posts"
        id = orm.mapped_column(sa.Integer, primary_key=True)
        owner_id = orm.mapped_column(sa.Integer)
        labels = orm.relationship(Label, secondary=links)

    label, post = Label(id=1), Post(id=1, owner_id=world.others.info["scope"].account_id)
    for row in (label, post):
        orm.make_transient_to_detached(row)
    set_committed_value(post, "labels", [label])
    world.mine.add(post)
    post.labels.clear()
    with pytest.raises(NotOwnerError):
        world.mine.flush()
    world.mine.expunge_all()


def test_guard_refuses_what_the_session_does_not_see(world: World) -> None:
    with pytest.raises(AssertionError, match="SELECT"):
        world.mine.connection().execute(select(NOTES))


def test_guard_refuses_rows_that_an_update_reads(world: World) -> None:
    tags: Any = Tag.__table__
    statement = sa.update(tags).values(name=NOTES.c.title).where(NOTES.c.tag_id == tags.c.id)
    with pytest.raises(AssertionError, match="UPDATE"):
        world.mine.connection().execute(statement)


def test_guard_refuses_rows_that_a_delete_reads() -> None:
    with pytest.raises(AssertionError, match="USING"):
        check_statement(None, None, "DELETE FROM tags USING notes WHERE tag_id = tags.id", (), None)


def test_operators_are_not_read(world: World) -> None:
    world.populate()
    everything = Note.id.op("> 0 OR 1 =", precedence=20, is_comparison=True)(1)
    assert "their note" in world.mine.scalars(select(Note.title).where(everything)).all()


def test_object_made_to_look_loaded_is_believed(world: World) -> None:
    theirs = world.populate()
    mine = world.mine.info["scope"].account_id
    note = Note(id=theirs.note, title="x", slug="x", owner_id=mine)
    orm.make_transient_to_detached(note)
    world.mine.add(note)
    note.title = "y"
    world.mine.flush()
    assert "y" in str(world.snapshot()["notes"])


def test_what_an_unscoped_statement_loads_stays_in_the_session(world: World) -> None:
    theirs = world.populate()
    everything = select(Note).execution_options(unscoped=True)
    loaded = world.mine.scalars(everything).all()
    assert len(loaded) == 2
    assert world.mine.get(Note, theirs.note) is not None
    world.mine.expunge_all()
    assert world.mine.get(Note, theirs.note) is None
