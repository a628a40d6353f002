"""No statement of an account changes rows of another, or makes rows that reference theirs.

Each case may be refused in any way; what counts is what is stored afterwards.
"""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from app.db.models import Account, Article, Comment, Folder, Note, Tag
from app.db.scope import ANONYMOUS, NotOwnerError, Scope, ScopeError, UnreadableError, enter
from app.settings import EXAMPLE_URL
from sqlalchemy import insert, orm, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import aliased

from .conftest import SOFT, Rows, World

if SOFT:
    from app.db import soft_delete

Case = Callable[[orm.Session, Rows, Rows], Any]
CASES: dict[str, Case] = {}
REFUSALS = (
    ScopeError,
    NotOwnerError,
    UnreadableError,
    sa.exc.InvalidRequestError,
    sa.exc.IntegrityError,
    orm.exc.StaleDataError,
    orm.exc.ObjectDeletedError,
)

other_note, other_folder = aliased(Note), aliased(Folder)
EVALUATE, NONE = {"synchronize_session": "evaluate"}, {"synchronize_session": False}


def case(function: Case) -> Case:
    """Add a case."""
    CASES[function.__name__] = function
    return function


def statements(**found: Callable[[Rows, Rows], Any]) -> None:
    """Add cases that execute a statement, synchronizing the session in each way."""
    for name, build in found.items():
        for options in (EVALUATE, NONE):

            def execute(
                session: orm.Session,
                own: Rows,
                theirs: Rows,
                build: Any = build,
                options: Any = options,
            ) -> None:
                session.execute(build(own, theirs), execution_options=options)

            CASES[f"{name}_{options['synchronize_session']}"] = execute


statements(
    update_all=lambda own, theirs: update(Note).values(title="x"),
    update_one=lambda own, theirs: update(Note).where(Note.id == theirs.note).values(title="x"),
    update_public=lambda own, theirs: update(Article).values(title="x"),
    update_or=lambda own, theirs: (
        update(Note).where(sa.or_(Note.id == theirs.note, sa.true())).values(title="x")
    ),
    update_by_subquery=lambda own, theirs: (
        update(Note).where(Note.folder_id.in_(select(Folder.id))).values(title="x")
    ),
    update_by_table=lambda own, theirs: (
        update(Note).where(Note.__table__.c.id == theirs.note).values(title="x")
    ),
    update_core=lambda own, theirs: update(Note.__table__).values(title="x"),
    update_alias=lambda own, theirs: update(other_note).values(title="x"),
    update_returning=lambda own, theirs: update(Note).values(title="x").returning(Note),
    update_comments=lambda own, theirs: (
        update(Comment).where(Comment.article_id == own.article).values(text="x")
    ),
    update_move=lambda own, theirs: update(Note).values(folder_id=theirs.folder),
    update_move_ordered=lambda own, theirs: update(Note).ordered_values(
        (Note.folder_id, theirs.folder)
    ),
    update_move_by_column=lambda own, theirs: update(Note).values(
        {Note.__table__.c.folder_id: theirs.folder}
    ),
    update_move_by_attribute=lambda own, theirs: update(Note).values(
        {Note.folder_id: theirs.folder}
    ),
    update_move_by_name=lambda own, theirs: update(Note).values({"folder_id": theirs.folder}),
    update_move_by_literal=lambda own, theirs: update(Note).values(
        folder_id=sa.literal(theirs.folder)
    ),
    update_move_by_expression=lambda own, theirs: update(Note).values(
        folder_id=sa.literal(theirs.folder) + 0
    ),
    update_move_by_function=lambda own, theirs: update(Note).values(
        folder_id=sa.func.abs(theirs.folder)
    ),
    update_move_by_subquery=lambda own, theirs: update(Note).values(
        folder_id=select(sa.func.max(Folder.id)).scalar_subquery()
    ),
    update_move_by_tuple=lambda own, theirs: update(Note).values(
        {sa.tuple_(Note.folder_id, Note.title): sa.tuple_(theirs.folder, sa.literal("x"))}
    ),
    update_core_only=lambda own, theirs: (
        update(Note).values(title="x").execution_options(dml_strategy="core_only")
    ),
    delete_core_only=lambda own, theirs: sa.delete(Note).execution_options(
        dml_strategy="core_only"
    ),
    update_move_self=lambda own, theirs: (
        update(Folder).where(Folder.id == own.child).values(parent_id=theirs.folder)
    ),
    update_owner=lambda own, theirs: update(Note).values(owner_id=Note.owner_id + 1),
    update_owner_ordered=lambda own, theirs: update(Note).ordered_values(
        (Note.owner_id, Note.owner_id + 1)
    ),
    update_owner_of_theirs=lambda own, theirs: update(Article).ordered_values(
        (Article.owner_id, Article.owner_id - 1)
    ),
    update_by_cte=lambda own, theirs: (
        update(Note).where(Note.id.in_(select(select(Note.id).cte().c.id))).values(title="x")
    ),
    update_cte=lambda own, theirs: (
        update(Tag).add_cte(update(Note.__table__).values(title="x").cte()).values(name="tag")
    ),
    select_cte=lambda own, theirs: select(Tag).add_cte(
        update(Note.__table__).values(title="x").returning(Note.__table__.c.id).cte()
    ),
    select_from_cte=lambda own, theirs: select(
        update(Note).values(title="x").returning(Note.id).cte()
    ),
    select_from_statement=lambda own, theirs: select(Note).from_statement(
        update(Note).values(title="x").returning(Note)
    ),
    ddl=lambda own, theirs: sa.DDL("UPDATE notes SET title = 'x'"),
    text=lambda own, theirs: sa.text("UPDATE notes SET title = 'x'"),
    insert=lambda own, theirs: insert(Note).values(title="x", slug="x", folder_id=theirs.folder),
    insert_owner=lambda own, theirs: insert(Tag).values(name="x"),
    insert_select=lambda own, theirs: insert(Folder).from_select(
        ["name", "owner_id"], select(Folder.name, Folder.owner_id)
    ),
    insert_core=lambda own, theirs: insert(Folder.__table__).from_select(
        ["name", "owner_id"], select(Folder.name + "x", Folder.owner_id)
    ),
)
if not SOFT:
    statements(
        delete_all=lambda own, theirs: sa.delete(Note),
        delete_folders=lambda own, theirs: sa.delete(Folder),
        delete_one=lambda own, theirs: sa.delete(Note).where(Note.id == theirs.note),
        delete_public=lambda own, theirs: sa.delete(Comment),
        delete_returning=lambda own, theirs: sa.delete(Comment).returning(Comment),
        delete_using=lambda own, theirs: sa.delete(Note).where(Note.folder_id == Folder.id),
        delete_by_subquery=lambda own, theirs: sa.delete(Note).where(
            Note.folder_id.in_(select(Folder.id))
        ),
        delete_alias=lambda own, theirs: sa.delete(other_note),
        delete_core=lambda own, theirs: sa.delete(Note.__table__),
    )


@case
def parameters_of_an_update_seen_before(session: orm.Session, own: Rows, theirs: Rows) -> None:
    statement = update(Note).where(Note.id == own.note)
    session.execute(statement, {"title": "own"})
    session.execute(statement, {"folder_id": theirs.folder})


@case
def owner_parameter_of_an_update_seen_before(session: orm.Session, own: Rows, theirs: Rows) -> None:
    owner = session.connection().scalar(
        select(Article.__table__.c.owner_id).where(Article.__table__.c.id == theirs.article)
    )
    statement = update(Note).where(Note.id == own.note)
    session.execute(statement, {"title": "own"})
    session.execute(statement, {"owner_id": owner})


@case
def dictionaries_after_a_single_one(session: orm.Session, own: Rows, theirs: Rows) -> None:
    statement = update(Note)
    session.execute(statement, {"title": "own"})
    session.execute(statement, [{"id": theirs.note, "title": "x"}])


@case
def parameter_over_a_value(session: orm.Session, own: Rows, theirs: Rows) -> None:
    statement = update(Note).where(Note.id == own.note).values(folder_id=own.folder)
    session.execute(statement, {"folder_id": theirs.folder})


@case
def parameter_over_an_ordered_value(session: orm.Session, own: Rows, theirs: Rows) -> None:
    statement = update(Note).where(Note.id == own.note)
    session.execute(
        statement.ordered_values((Note.folder_id, sa.bindparam("new"))), {"new": theirs.folder}
    )


@case
def update_from_alias(session: orm.Session, own: Rows, theirs: Rows) -> None:
    statement = update(Note).where(Note.id == own.note, other_folder.id == theirs.folder)
    session.execute(statement.values(folder_id=other_folder.id), execution_options=NONE)


@case
def dictionaries(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.execute(update(Note), [{"id": theirs.note, "title": "x"}])


@case
def dictionaries_of_new_rows(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.execute(insert(Note), [{"title": "x", "slug": "x", "folder_id": theirs.folder}])


@case
def upsert(session: orm.Session, own: Rows, theirs: Rows) -> None:
    row = {"id": theirs.article, "title": "x", "slug": "x"}
    statement = sqlite.insert(Article).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"title": "x"}))


@case
def query_update(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.query(Note).update({"title": "x"})


@case
def query_update_move(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.query(Note).update({"folder_id": theirs.folder})


@case
def query_delete(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.query(Note).delete()


@case
def bulk_update(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.bulk_update_mappings(sa.inspect(Note), [{"id": theirs.note, "title": "x"}])


@case
def bulk_insert(session: orm.Session, own: Rows, theirs: Rows) -> None:
    row = {"title": "x", "slug": "x", "folder_id": theirs.folder}
    session.bulk_insert_mappings(sa.inspect(Note), [row])


@case
def bulk_save(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.bulk_save_objects([Note(title="x", slug="x", folder_id=theirs.folder)])


@case
def new_in_theirs(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.add(Note(title="x", slug="x", folder_id=theirs.folder))
    session.flush()


@case
def new_child_of_theirs(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.add(Folder(name="x", parent_id=theirs.folder))
    session.flush()


@case
def new_for_theirs(session: orm.Session, own: Rows, theirs: Rows) -> None:
    owner = session.scalars(select(Article.owner_id).where(Article.id == theirs.article)).one()
    session.add(Folder(name="x", owner_id=owner))
    session.flush()


@case
def new_with_their_id(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.add(Note(id=theirs.note, title="x", slug="x", folder_id=own.folder))
    session.flush()


@case
def move(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.get_one(Note, own.note).folder_id = theirs.folder
    session.flush()


@case
def move_to_their_object(session: orm.Session, own: Rows, theirs: Rows) -> None:
    folder = Folder(id=theirs.folder, name="x", owner_id=session.info["scope"].account_id)
    orm.make_transient_to_detached(folder)
    session.get_one(Note, own.note).folder = folder
    session.flush()


@case
def give_away(session: orm.Session, own: Rows, theirs: Rows) -> None:
    owner = session.scalars(select(Article.owner_id).where(Article.id == theirs.article)).one()
    session.get_one(Note, own.note).owner_id = owner
    session.flush()


@case
def take(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.get_one(Article, theirs.article).owner_id = session.info["scope"].account_id
    session.flush()


@case
def take_without_looking(session: orm.Session, own: Rows, theirs: Rows) -> None:
    options = [orm.load_only(Article.title)]
    row = session.get_one(Article, theirs.article, options=options)
    row.owner_id = session.info["scope"].account_id
    row.title = "x"
    session.flush()


@case
def take_after_expire(session: orm.Session, own: Rows, theirs: Rows) -> None:
    row = session.get_one(Article, theirs.article)
    session.expire(row)
    row.owner_id = session.info["scope"].account_id
    row.title = "x"
    session.flush()


@case
def change_public(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.get_one(Article, theirs.article).title = "x"
    session.flush()


@case
def change_expired_public(session: orm.Session, own: Rows, theirs: Rows) -> None:
    row = session.get_one(Article, theirs.article)
    session.expire(row)
    row.title = "x"
    session.flush()


@case
def delete_public(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.delete(session.get_one(Article, theirs.article))
    session.flush()


@case
def delete_expired_public(session: orm.Session, own: Rows, theirs: Rows) -> None:
    row = session.get_one(Article, theirs.article)
    session.expire(row)
    session.delete(row)
    session.flush()


@case
def delete_taken(session: orm.Session, own: Rows, theirs: Rows) -> None:
    row = session.get_one(Article, theirs.article, options=[orm.load_only(Article.title)])
    row.owner_id = session.info["scope"].account_id
    with session.no_autoflush:
        session.delete(row)
    session.flush()


@case
def their_comment_leaves_my_article(session: orm.Session, own: Rows, theirs: Rows) -> None:
    options = [orm.selectinload(Article.comments)]
    article = session.get_one(Article, own.article, options=options)
    article.comments = [each for each in article.comments if each.id != theirs.comment]
    session.flush()


@case
def their_comment_moves_to_another_article(session: orm.Session, own: Rows, theirs: Rows) -> None:
    comment = session.get_one(Comment, theirs.comment, options=[orm.joinedload(Comment.article)])
    comment.article = session.get_one(Article, theirs.article)
    session.flush()


@case
def merge(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.merge(Note(id=theirs.note, title="x", slug="x", folder_id=own.folder))
    session.flush()


@case
def merge_public(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.merge(Article(id=theirs.article, title="x"))
    session.flush()


@case
def merge_public_with_owner(session: orm.Session, own: Rows, theirs: Rows) -> None:
    owner = session.info["scope"].account_id
    session.merge(Article(id=theirs.article, title="x", owner_id=owner))
    session.flush()


@case
def their_id(session: orm.Session, own: Rows, theirs: Rows) -> None:
    session.get_one(Note, own.note).id = theirs.note
    session.flush()


if SOFT:

    @case
    def soft_delete_theirs(session: orm.Session, own: Rows, theirs: Rows) -> None:
        assert not soft_delete.delete(session, Note, theirs.note)
        assert not soft_delete.delete(session, Article, theirs.article)

    @case
    def soft_delete_with_literal_or(session: orm.Session, own: Rows, theirs: Rows) -> None:
        soft_delete.delete(session, Note, theirs.note, sa.literal_column("1=1 OR 1=1"))

    @case
    def restore_theirs(session: orm.Session, own: Rows, theirs: Rows) -> None:
        assert soft_delete.restore(session, Note, theirs.note) is None
        assert soft_delete.restore(session, Article, theirs.article) is None

    @case
    def hard_delete_theirs(session: orm.Session, own: Rows, theirs: Rows) -> None:
        soft_delete.hard_delete(session, Note, theirs.note)

    @case
    def hard_delete_public(session: orm.Session, own: Rows, theirs: Rows) -> None:
        soft_delete.hard_delete(session, Article, theirs.article)

    @case
    def insert_in_theirs(session: orm.Session, own: Rows, theirs: Rows) -> None:
        row = {"title": "x", "slug": "x", "folder_id": theirs.folder}
        soft_delete.insert(session, Note, row)

    @case
    def insert_for_theirs(session: orm.Session, own: Rows, theirs: Rows) -> None:
        owner = session.scalars(select(Article.owner_id).where(Article.id == theirs.article)).one()
        soft_delete.insert(session, Folder, {"name": "x", "owner_id": owner})


@case
def orphan(session: orm.Session, own: Rows, theirs: Rows) -> None:
    options = [orm.selectinload(Article.remarks)]
    article = session.get_one(Article, own.article, options=options)
    article.remarks = [each for each in article.remarks if each.id != theirs.comment]
    session.flush()


def owners(world: World) -> Any:
    """Return the owner of every row that existed."""
    found = {}
    for model in (Folder, Note, Article, Comment):
        table: Any = model.__table__
        rows = sa.select(table.c.id, table.c.owner_id).execution_options(unscoped=True)
        found[table.name] = {tuple(row) for row in world.system.connection().execute(rows)}
    return found


@pytest.mark.parametrize("name", CASES)
def test_rows_of_others_stay_as_they_are(name: str, world: World) -> None:
    theirs = world.populate()
    before, owned = world.snapshot(), owners(world)
    try:
        with world.mine.begin_nested():
            CASES[name](world.mine, world.own, theirs)
    except REFUSALS:
        pass
    except sa.exc.CompileError:
        pass
    world.mine.expunge_all()
    after = world.snapshot()
    assert after == before
    assert world.stray() == []
    ids = {name: {key for key, _ in rows} for name, rows in owned.items()}
    for table, rows in owners(world).items():
        assert {row for row in rows if row[0] in ids[table]} <= owned[table]


def _from_subquery() -> Any:
    notes = select(Note.tag_id, sa.func.max(Note.title).label("title")).group_by(Note.tag_id)
    notes = notes.subquery()
    return update(Tag).where(notes.c.tag_id == Tag.id).values(name=notes.c.title)


# The columns of an account's unique index, and a text column that is not unique.
IDENTITY, TEXT = (
    (["email"], "password_hash")
    if hasattr(Account, "password_hash")
    else (["issuer", "subject"], "email")
)
LEAKS = {
    "insert_elsewhere": lambda: insert(Account).from_select(
        IDENTITY, select(*[Note.title] * len(IDENTITY))
    ),
    "insert_elsewhere_value": lambda: insert(Account).values(
        dict.fromkeys(IDENTITY, select(sa.func.max(Note.title)).scalar_subquery())
    ),
    "update_elsewhere": lambda: update(Account).values(
        {TEXT: select(sa.func.max(Note.title)).scalar_subquery()}
    ),
    "update_own": lambda: update(Note).values(
        title=select(sa.func.max(other_note.title)).scalar_subquery()
    ),
    "update_own_by_exists": lambda: (
        update(Folder)
        .where(sa.exists().where(Note.title == "their note"))
        .values(name=Folder.name + "their")
    ),
    "update_shared": lambda: update(Tag).values(
        name=select(sa.func.max(Note.title)).scalar_subquery()
    ),
    "update_shared_where": lambda: (
        update(Tag).where(Tag.notes.any(Note.title == "their note")).values(name="their")
    ),
    "update_shared_from": lambda: (
        update(Tag).where(Note.title == "their note", Note.tag_id == Tag.id).values(name=Note.title)
    ),
    "update_shared_from_alias": lambda: (
        update(Tag)
        .where(other_note.tag_id == Tag.id, other_note.title == "their note")
        .values(name=other_note.title)
    ),
    "update_own_from_alias": lambda: (
        update(Note).where(other_note.tag_id == Note.tag_id).values(title=other_note.title)
    ),
    "update_shared_from_subquery": _from_subquery,
    "update_filter": lambda: update(Tag).values(
        name=sa.cast(
            select(sa.func.max(Note.title).filter(Note.id > 0)).scalar_subquery(), sa.String
        )
    ),
    "update_ordered": lambda: update(Tag).ordered_values(
        (Tag.name, select(sa.func.max(Note.title)).scalar_subquery())
    ),
}


if not EXAMPLE_URL.startswith("sqlite"):
    # The guard takes SQLite's names of columns in RETURNING for those of no table.
    LEAKS["update_returning"] = lambda: (
        update(Tag)
        .values(name="tag")
        .returning(select(sa.func.max(other_note.title)).scalar_subquery())
    )


@pytest.mark.parametrize("name", LEAKS)
def test_write_does_not_copy_rows_of_others(name: str, world: World) -> None:
    world.populate()
    found: Any = []
    try:
        with world.mine.begin_nested():
            result: Any = world.mine.execute(LEAKS[name](), execution_options=NONE)
            found = result.all() if getattr(result, "returns_rows", True) else []
    except (ScopeError, sa.exc.IntegrityError):
        return
    world.mine.expunge_all()
    connection = world.system.connection()
    for model in (Account, Tag, Folder, Note):
        rows = sa.select(model.__table__).execution_options(unscoped=True)
        if hasattr(model, "owner_id"):
            mine = world.mine.info["scope"].account_id
            rows = rows.where(model.__table__.c.owner_id == mine)
        found += connection.execute(rows).all()
    assert "their" not in str(found)


def test_new_rows_may_reference_each_other(world: World) -> None:
    folder = Folder(name="a", children=[Folder(name="b", children=[Folder(name="c")])])
    note = Note(title="a", slug="a", folder=folder, article=Article(title="a", slug="a"))
    world.mine.add_all([folder, note])
    world.mine.flush()
    assert folder.children[0].owner_id == world.mine.info["scope"].account_id


def test_scope_is_set_once(world: World) -> None:
    mine = world.mine.info["scope"]
    enter(world.mine, mine)
    for scope in (Scope(mine.account_id + 1), Scope.system()):
        with pytest.raises(ScopeError):
            enter(world.mine, scope)
    with world.mine.begin_nested():
        assert world.mine.info["scope"] == mine


def test_rows_without_an_owner_can_be_updated_in_bulk(world: World) -> None:
    account = world.mine.scalars(select(Account.id).limit(1)).one()
    world.mine.execute(update(Account), [{"id": account, "is_active": True}])
    world.mine.execute(update(Account), [{"id": account, "is_active": True}])


def test_refused_writes_have_another_way(world: World) -> None:
    tag, notes = insert(Tag).values(name="x"), update(Note)
    titles = [{"id": world.own.note, "title": "x"}]
    with pytest.raises(ScopeError, match="add objects instead; an upsert needs unscoped=True"):
        world.mine.execute(tag)
    with pytest.raises(
        ScopeError, match=r"change objects instead, or use one UPDATE with case\(\)"
    ):
        world.mine.execute(notes, titles)
    world.mine.execute(tag, execution_options={"unscoped": True})
    world.mine.execute(notes.values(title=sa.case({world.own.note: "x"}, value=Note.id)))
    assert world.mine.get_one(Note, world.own.note).title == "x"


def test_anonymous_session_cannot_write(world: World) -> None:
    del world.mine.info["scope"]
    enter(world.mine, ANONYMOUS)
    for row in (Tag(name="x"), Folder(name="x"), Article(title="x", slug="x")):
        world.mine.add(row)
        with pytest.raises(NotOwnerError), world.mine.begin_nested():
            world.mine.flush()
    for model in (Tag, Article):
        with pytest.raises(NotOwnerError):
            world.mine.execute(update(model).values(id=model.id))
    copied = update(Account).values({TEXT: select(sa.func.max(Tag.name)).scalar_subquery()})
    with pytest.raises(ScopeError):
        world.mine.execute(copied)


def test_public_object_of_another_is_not_deleted(world: World) -> None:
    article = world.mine.get_one(Article, world.populate().article)

    def delete() -> None:
        with world.mine.begin_nested():
            world.mine.delete(article)

    with pytest.raises(NotOwnerError):
        delete()
