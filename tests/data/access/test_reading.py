"""No statement of an account depends on private rows of another.

Each case runs before and after the other account makes its rows, and must find the same; in the
system's scope it must not, or it would prove nothing.
"""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from app.db.models import Article, Base, Comment, Folder, Note, Tag
from app.db.scope import ANONYMOUS, ScopeError, enter
from sqlalchemy import func, orm, select
from sqlalchemy.orm import aliased

from .conftest import World

Case = Callable[[orm.Session, World], Any]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Add a case."""
    CASES[function.__name__] = function
    return function


def statement(name: str, *build: Callable[[], Any]) -> None:
    """Add a case that executes a statement."""

    def execute(session: orm.Session, _world: World) -> Any:
        return session.execute(build[0]()).all()

    CASES[name] = execute


def shown(value: Any) -> Any:
    """Return a value with rows as their columns."""
    if isinstance(value, Base):
        return tuple(getattr(value, key) for key in sorted(value.__table__.c.keys()))
    if isinstance(value, (list, tuple, sa.Row)):
        return [shown(each) for each in value]
    return value


other_note = aliased(Note)
other_folder = aliased(Folder)
note_count = select(func.count(Note.id)).scalar_subquery()
titles = select(Note.title)


def _tree() -> Any:
    roots = select(Folder.id, Folder.name).where(Folder.parent_id.is_(None)).cte(recursive=True)
    child = aliased(Folder)
    tree = roots.union_all(select(child.id, child.name).where(child.parent_id == roots.c.id))
    return select(tree.c.name)


def _join_subquery() -> Any:
    latest = select(Note.tag_id, func.max(Note.id).label("id")).group_by(Note.tag_id).subquery()
    return select(Tag.name, latest.c.id).join(latest, latest.c.tag_id == Tag.id)


def _lateral() -> Any:
    # SQLite has no LATERAL.
    notes = select(Note.title).where(Note.tag_id == Tag.id).correlate(Tag)
    notes = notes.limit(1).scalar_subquery()
    return select(Tag.name).where(notes.is_not(None), sa.literal("their note").in_(titles))


for name, build in {
    "rows": lambda: select(Note),
    "columns": lambda: select(Note.title, Note.id),
    "bundle": lambda: select(orm.Bundle("b", Note.title)),
    "count": lambda: select(func.count()).select_from(Note),
    "count_column": lambda: select(func.count(Note.id)),
    "count_filter": lambda: select(func.count().filter(Note.id > 0)).select_from(Note),
    "max": lambda: select(func.max(Note.title)),
    "max_scalar": lambda: select(sa.literal(1), func.coalesce(func.max(Folder.name), "")),
    "window": lambda: select(Note.title, func.count().over()),
    "window_partition": lambda: select(
        Note.title, func.row_number().over(partition_by=Note.tag_id, order_by=Note.id.desc())
    ),
    "window_sum": lambda: select(func.sum(Note.id).over(order_by=Note.id)),
    "group": lambda: select(Note.tag_id, func.count(Note.id)).group_by(Note.tag_id),
    "having": lambda: select(Note.tag_id).group_by(Note.tag_id).having(func.count() > 1),
    "distinct": lambda: select(Note.title).distinct(),
    "alias": lambda: select(other_note),
    "alias_of_subquery": lambda: select(aliased(Note, select(Note).subquery())),
    "subquery": lambda: select(titles.subquery()),
    "subquery_column": lambda: select(titles.subquery().c.title),
    "cte": lambda: select(titles.cte()),
    "cte_nested": lambda: select(func.count()).select_from(select(titles.cte()).subquery()),
    "recursive": _tree,
    "union": lambda: sa.union(select(Note.title), select(Folder.name)),
    "union_all": lambda: sa.union_all(select(Note.title), select(Tag.name)),
    "union_subquery": lambda: select(sa.union(select(Note.title), select(Tag.name)).subquery()),
    "except": lambda: sa.except_(select(Note.id), select(Note.id).where(Note.title == "own note")),
    "intersect": lambda: sa.intersect(select(Note.title), select(other_note.title)),
    "union_from_statement": lambda: select(Note).where(
        Note.id.in_(sa.union(select(Note.id), select(other_note.id)))
    ),
    "scalar_subquery": lambda: select(note_count),
    "scalar_subquery_of_tag": lambda: select(Tag.name, note_count),
    "correlated": lambda: select(
        Tag.name,
        select(func.count(Note.id)).where(Note.tag_id == Tag.id).scalar_subquery(),
    ),
    "correlated_alias": lambda: select(
        Tag.name,
        select(func.max(other_note.title)).where(other_note.tag_id == Tag.id).scalar_subquery(),
    ),
    "exists": lambda: select(sa.exists().where(Note.title == "their note")),
    "exists_select": lambda: select(sa.exists(select(Note).where(Note.slug == "their note"))),
    "exists_executed": lambda: sa.exists().where(Note.title == "their note").select(),
    "exists_correlated": lambda: select(Tag).where(
        sa.exists().where(Note.tag_id == Tag.id, Note.title == "their note")
    ),
    "not_exists": lambda: select(Tag).where(~sa.exists().where(Note.title == "their note")),
    "in_subquery": lambda: select(Tag).where(
        Tag.id.in_(select(Note.tag_id).where(Note.title == "their note"))
    ),
    "any": lambda: select(Tag).where(Tag.notes.any(Note.title == "their note")),
    "any_of_article": lambda: select(Article.title).where(
        Article.notes.any(Note.title.like("their%"))
    ),
    "any_in_case": lambda: select(
        Tag.name, sa.case((Tag.notes.any(Note.title == "their note"), 1), else_=0)
    ),
    "any_of_alias": lambda: select(Tag).where(
        Tag.notes.of_type(other_note).any(other_note.title == "their note")
    ),
    "has": lambda: select(Note.title).where(Note.folder.has(Folder.name.like("%folder"))),
    "join": lambda: select(Tag.name, Note.title).join(Note, Note.tag_id == Tag.id),
    "join_relationship": lambda: select(Tag.name, Note.title).join(Tag.notes),
    "join_alias": lambda: select(Tag.name, other_note.title).join(Tag.notes.of_type(other_note)),
    "outer_join": lambda: select(Tag.name, Note.title).outerjoin(Tag.notes),
    "full_join": lambda: select(Tag.name, Note.title).join(Note, Note.tag_id == Tag.id, full=True),
    "cross_join": lambda: select(Tag.name, Note.title).join(Note, sa.true()),
    "comma_join": lambda: select(Tag.name, Note.title).where(Note.tag_id == Tag.id),
    "join_subquery": _join_subquery,
    "join_from_right": lambda: select(Note.title).join_from(Tag, Note, Note.tag_id == Tag.id),
    "lateral": _lateral,
    "where_count": lambda: select(Tag.name).where(note_count > 1),
    "tuple_in": lambda: select(Tag.name).where(
        sa.tuple_(Tag.id, sa.literal("their note")).in_(select(Note.tag_id, Note.title))
    ),
    "with_for_update": lambda: select(Note).with_for_update(),
    "with_for_update_skip": lambda: select(Note.title).with_for_update(skip_locked=True),
    "yield_per": lambda: select(Note).execution_options(yield_per=1),
    "unique": lambda: select(Note.title).where(Note.slug == "their note"),
    "or": lambda: select(Note.title).where(sa.or_(Note.title == "x", sa.true())),
    "range": lambda: select(Note.title).where(Note.slug > "t"),
    "null": lambda: select(Note.title).where(Note.folder_id.is_not(None)),
    "table_column_of_class": lambda: select(Note).where(Note.__table__.c.title.like("their%")),
    "label": lambda: select(Note.title.label("x")).order_by("x"),
    "literal_case": lambda: select(
        sa.case((sa.exists().where(Folder.name == "their folder"), "yes"), else_="no")
    ),
    "cast": lambda: select(sa.cast(note_count, sa.String)),
    "function": lambda: select(func.lower(select(func.max(Note.title)).scalar_subquery())),
    "filter_in_subquery": lambda: select(
        Tag.name, select(func.count().filter(Note.id > 0)).select_from(Note).scalar_subquery()
    ),
    "filter_in_subquery_without_from": lambda: select(
        Tag.name, select(func.count().filter(Note.id > 0)).scalar_subquery()
    ),
    "over_in_subquery_without_from": lambda: select(
        Tag.name, select(func.count().over(partition_by=Note.tag_id)).limit(1).scalar_subquery()
    ),
    "filter_without_from": lambda: select(func.count().filter(Note.id > 0)),
    "join_core": lambda: select(Note.title).select_from(sa.join(Tag, Note, Note.tag_id == Tag.id)),
    "join_orm": lambda: select(Note.title).select_from(orm.join(Tag, Note)),
    "from_statement": lambda: select(Note).from_statement(select(Note)),
    "full_join_core": lambda: select(Tag.name, Note.title).select_from(
        sa.join(Tag, Note, Note.tag_id == Tag.id, full=True)
    ),
    "full_join_orm": lambda: select(Tag.name, Note.title).select_from(
        orm.join(Tag, Note, Note.tag_id == Tag.id, full=True)
    ),
    "criteria_of_its_own": lambda: select(Note).options(
        orm.with_loader_criteria(Note, sa.true(), include_aliases=True)
    ),
    "public_rows_of_private": lambda: select(Article.title).where(
        Article.id.in_(select(Note.article_id).where(Note.title.like("their%")))
    ),
    "self_join": lambda: select(Folder.name, other_folder.name).join(other_folder, sa.true()),
    "self_any_alias": lambda: select(Folder.name).where(
        Folder.children.of_type(other_folder).any()
        | sa.exists().where(other_folder.name == "their child")
    ),
}.items():
    statement(name, build)


@case
def scalars(session: orm.Session, _world: World) -> Any:
    return session.scalars(select(Note.id)).all()


@case
def query(session: orm.Session, _world: World) -> Any:
    return session.query(Note).all()


@case
def query_count(session: orm.Session, _world: World) -> Any:
    return session.query(Note).count(), session.query(func.count(Note.id)).scalar()


@case
def query_filter_by(session: orm.Session, _world: World) -> Any:
    return session.query(Note.title).filter_by(slug="their note").all()


@case
def query_exists(session: orm.Session, _world: World) -> Any:
    return session.query(session.query(Note).filter_by(slug="their note").exists()).scalar()


@case
def query_join(session: orm.Session, _world: World) -> Any:
    return session.query(Tag, Note).join(Tag.notes).all()


@case
def stream_of_partitions(session: orm.Session, _world: World) -> Any:
    found = session.execute(select(Note.title), execution_options={"yield_per": 1})
    return [list(part) for part in found.partitions()]


for loader in (orm.selectinload, orm.subqueryload, orm.joinedload, orm.immediateload):

    def load(session: orm.Session, _world: World, loader: Any = loader) -> Any:
        notes = loader(Tag.notes).options(orm.joinedload(Note.folder))
        found = session.scalars(select(Tag).options(notes))
        return [(tag, tag.notes, [note.folder for note in tag.notes]) for tag in found.unique()]

    CASES[f"{loader.__name__}_of_collection"] = load

    def load_article(session: orm.Session, _world: World, loader: Any = loader) -> Any:
        found = session.scalars(
            select(Comment)
            .options(orm.selectinload(Comment.article).options(loader(Article.notes)))
            .where(Comment.text.like("own%"))
        )
        return [each.article.notes for each in found.unique()]

    CASES[f"{loader.__name__}_two_levels"] = load_article


@case
def lazyload(session: orm.Session, _world: World) -> Any:
    tag = session.scalars(select(Tag).options(orm.lazyload(Tag.notes))).one()
    return tag.notes


@case
def collection_refreshed(session: orm.Session, world: World) -> Any:
    tag = session.get_one(Tag, world.tag, options=[orm.selectinload(Tag.notes)])
    session.refresh(tag, ["notes"])
    return tag.notes


@case
def contains_eager(session: orm.Session, _world: World) -> Any:
    found = session.scalars(select(Tag).join(Tag.notes).options(orm.contains_eager(Tag.notes)))
    return [tag.notes for tag in found.unique()]


@case
def with_parent(session: orm.Session, world: World) -> Any:
    tag = session.get_one(Tag, world.tag)
    return session.scalars(select(Note).where(orm.with_parent(tag, Tag.notes))).all()


@case
def nested_transaction(session: orm.Session, _world: World) -> Any:
    with session.begin_nested():
        return session.scalars(select(Note.title)).all()


@case
def statement_executed_twice(session: orm.Session, _world: World) -> Any:
    statement = select(Note.title)
    return [session.scalars(statement).all() for _ in range(3)]


@case
def function_executed(session: orm.Session, _world: World) -> Any:
    return session.scalar(func.lower(select(func.max(Note.title)).scalar_subquery()))


@pytest.mark.parametrize("name", CASES)
def test_statement_does_not_depend_on_rows_of_others(name: str, world: World) -> None:
    def found(session: orm.Session) -> Any:
        try:
            with session.begin_nested():
                return shown(CASES[name](session, world))
        except ScopeError:
            return "refused"
        finally:
            session.expunge_all()

    before, before_system = found(world.mine), found(world.system)
    world.populate()
    after, after_system = found(world.mine), found(world.system)
    assert before == after
    assert before_system != after_system


@pytest.mark.parametrize("name", CASES)
def test_anonymous_session_reads_public_rows_only(name: str, world: World) -> None:
    assert world.populate()
    del world.mine.info["scope"]
    enter(world.mine, ANONYMOUS)
    try:
        with world.mine.begin_nested():
            found = shown(CASES[name](world.mine, world))
    except (ScopeError, sa.exc.NoResultFound):
        return
    assert "note" not in str(found)
    assert "folder" not in str(found)
    assert "tag" not in str(found)


def test_row_of_another_cannot_be_loaded_by_its_key(world: World) -> None:
    theirs = world.populate()
    mine = world.mine
    assert mine.get(Note, theirs.note) is None
    assert mine.get(Note, theirs.note, with_for_update=True) is None
    assert mine.get(Note, theirs.note, populate_existing=True) is None
    with pytest.raises(sa.exc.NoResultFound):
        mine.get_one(Note, theirs.note)
    assert mine.query(Note).filter_by(id=theirs.note).one_or_none() is None


def test_object_of_another_session_cannot_be_loaded_again(world: World) -> None:
    theirs = world.populate()
    note = world.others.get_one(Note, theirs.note)
    world.others.expunge(note)
    world.mine.add(note)
    with pytest.raises(sa.exc.InvalidRequestError):
        world.mine.refresh(note)
    with pytest.raises(sa.exc.InvalidRequestError):
        world.mine.refresh(note, with_for_update=True)
    world.mine.expire(note)
    with pytest.raises(orm.exc.ObjectDeletedError):
        assert note.title


def test_merge_loads_no_row_of_another(world: World) -> None:
    theirs = world.populate()
    with world.mine.no_autoflush:
        merged = world.mine.merge(Note(id=theirs.note))
        assert merged.title is None
        assert merged in world.mine.new
        world.mine.expunge(merged)


def test_lazy_loads_of_shared_rows_are_filtered_whoever_loaded_them(world: World) -> None:
    world.populate()
    for session in (world.system, world.others):
        tag = session.scalars(select(Tag).options(orm.lazyload(Tag.notes))).one()
        session.expunge(tag)
        world.mine.add(tag)
        assert [note.title for note in tag.notes] == ["own note"]
        world.mine.expunge_all()


def test_rows_loaded_unscoped_do_not_load_others(world: World) -> None:
    world.populate()
    statement = select(Tag).options(orm.lazyload(Tag.notes))
    tag = world.mine.scalars(statement, execution_options={"unscoped": True}).one()
    assert [note.title for note in tag.notes] == ["own note"]
