"""Every form of statement reads live rows only."""

import datetime as dt
import gc
import pickle
import weakref

import pytest
import sqlalchemy as sa
from app.db import soft_delete
from sqlalchemy import exists, func, literal, orm, select, union_all
from sqlalchemy.orm import (
    aliased,
    contains_eager,
    immediateload,
    joinedload,
    selectinload,
    subqueryload,
)
from sqlalchemy.schema import CreateSequence, CreateTable

from .models import (
    Animal,
    Category,
    Comment,
    Dog,
    Node,
    Post,
    Profile,
    Tag,
    User,
    post_tags,
)

EVERY_ROW = {"include_deleted": True}
DELETED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

pytestmark = pytest.mark.usefixtures("rows")


@pytest.fixture
def rows(database, session):
    """Set `deleted_at` directly, also where a deletion would have cascaded or been refused."""

    def insert() -> None:
        def add(cls, *rows):
            for row in rows:
                session.execute(sa.insert(cls.__table__), row)

        gone = {"deleted_at": DELETED}
        add(User, {"id": 1, "name": "ann"}, {"id": 2, "name": "bob", **gone})
        add(Profile, {"id": 1, "user_id": 1, **gone})
        add(Category, {"id": 1, "name": "news", **gone})
        add(
            Post,
            {"id": 1, "author_id": 1, "editor_id": 2, "category_id": 1, "body": "x"},
            {"id": 2, "author_id": 1, "editor_id": 1, **gone},
            {"id": 3, "author_id": 2},
        )
        add(Comment, {"id": 1, "post_id": 1}, {"id": 2, "post_id": 1, **gone})
        add(Tag, {"id": 1}, {"id": 2, **gone})
        session.execute(
            sa.insert(post_tags), [{"post_id": 1, "tag_id": 1}, {"post_id": 1, "tag_id": 2}]
        )
        add(
            Node,
            {"id": 1},
            {"id": 2, "parent_id": 1},
            {"id": 3, "parent_id": 1, **gone},
            {"id": 4, "parent_id": 3},
        )
        add(
            Animal,
            {"id": 1, "kind": "animal"},
            {"id": 2, "kind": "dog"},
            {"id": 3, "kind": "dog", **gone},
        )

    database.run(insert)


def ids(objects):
    return sorted(each.id for each in objects)


def read_scalars(session, statement):
    found = session.scalars(statement).unique().all()
    return sorted(getattr(each, "id", each) for each in found)


def read_lines(session, statement):
    found = session.execute(statement).unique().all()
    return sorted((tuple(getattr(value, "id", value) for value in row) for row in found), key=repr)


def scalars(statement):
    """Read the values of the first column; of an entity, its id."""
    return read_scalars, statement


def lines(statement):
    """Read the rows; of an entity, its id."""
    return read_lines, statement


posts = aliased(Post)
live_posts = select(Post).subquery()
post_entity = aliased(Post, live_posts)
post_cte = select(Post.id, Post.author_id).cte("post_cte")
numbers = select(Post.id).subquery()
tree = select(Node.id, Node.parent_id).where(Node.id == 1).cte(recursive=True)
tree = tree.union_all(select(Node.id, Node.parent_id).join(tree, Node.parent_id == tree.c.id))
both_users = union_all(select(User).where(User.id == 1), select(User).where(User.id == 2))

SELECTS = {
    "entity": (scalars(select(User)), [1]),
    "column": (scalars(select(User.id)), [1]),
    "columns": (lines(select(User.id, User.name)), [(1, "ann")]),
    "bundle": (scalars(select(orm.Bundle("b", User.id))), [1]),
    "constant": (scalars(select(literal(7)).select_from(User)), [7]),
    "expression": (scalars(select(User.name + "!")), ["ann!"]),
    "distinct": (scalars(select(User.id).distinct()), [1]),
    "order_limit": (scalars(select(User).order_by(User.id.desc()).limit(1)), [1]),
    "in_literals": (scalars(select(User).where(User.id.in_([1, 2]))), [1]),
    "or_is_bracketed": (scalars(select(User).where((User.id == 2) | (User.id == 2))), []),
    "alias": (scalars(select(posts)), [1, 3]),
    "alias_column": (scalars(select(posts.id)), [1, 3]),
    "two_entities": (lines(select(User, Tag).join(Tag, sa.true())), [(1, 1)]),
    "two_columns": (lines(select(User.id, Tag.id).join(Tag, sa.true())), [(1, 1)]),
    "for_update": (scalars(select(User).with_for_update()), [1]),
    "from_statement": (scalars(select(User).from_statement(select(User))), [1]),
    # Counts
    "count_star": (scalars(select(func.count()).select_from(User)), [1]),
    "count_column": (scalars(select(func.count(User.id))), [1]),
    "count_distinct": (scalars(select(func.count(Post.author_id.distinct()))), [2]),
    "count_alias": (scalars(select(func.count()).select_from(posts)), [2]),
    "count_filter": (scalars(select(func.count(User.id).filter(User.id > 0))), [1]),
    "count_filter_star": (scalars(select(func.count().filter(User.id > 0))), [1]),
    "count_filter_labels": (
        lines(select(func.count(User.id).filter(User.id > 0).label("n"), literal(2))),
        [(1, 2)],
    ),
    "count_filter_coalesce": (
        scalars(select(func.coalesce(func.count(User.id).filter(User.id > 0), 0))),
        [1],
    ),
    "count_filter_subquery": (
        lines(
            select(
                User.id,
                select(func.count().filter(Post.id > 0))
                .where(Post.author_id == User.id)
                .scalar_subquery(),
            )
        ),
        [(1, 1)],
    ),
    "window_alone": (scalars(select(func.row_number().over(order_by=User.id))), [1]),
    "boolean_alone": (scalars(select(sa.and_(User.id > 0, User.id < 9))), [True]),
    "count_subquery": (scalars(select(func.count()).select_from(select(User).subquery())), [1]),
    "count_column_subquery": (scalars(select(func.count()).select_from(numbers)), [2]),
    "count_over": (lines(select(User.id, func.count().over())), [(1, 1)]),
    "group_by": (
        lines(select(Post.author_id, func.count()).group_by(Post.author_id)),
        [(1, 1), (2, 1)],
    ),
    "having": (
        scalars(select(Post.author_id).group_by(Post.author_id).having(func.count() > 1)),
        [],
    ),
    "maximum": (scalars(select(func.max(User.id))), [1]),
    # Joins
    "join": (lines(select(User.id, Post.id).join(User.posts)), [(1, 1)]),
    "join_on": (lines(select(Post.id).join(User, User.id == Post.author_id)), [(1,)]),
    "join_only_filters": (scalars(select(Post).join(Post.author)), [1]),
    "join_alias": (lines(select(User.id, posts.id).join(User.posts.of_type(posts))), [(1, 1)]),
    "outer_join": (
        lines(select(Post.id, User.id).outerjoin(Post.author)),
        [(1, 1), (3, None)],
    ),
    "outer_join_alias": (
        lines(select(User.id, posts.id).outerjoin(posts, posts.author_id == User.id)),
        [(1, 1)],
    ),
    "outer_join_of_all_deleted": (
        lines(select(User.id, Profile.id).outerjoin(User.profile)),
        [(1, None)],
    ),
    "join_three": (
        lines(select(User.id, Post.id, Comment.id).join(User.posts).join(Post.comments)),
        [(1, 1, 1)],
    ),
    "join_many_to_many": (lines(select(Post.id, Tag.id).join(Post.tags)), [(1, 1)]),
    "self_join": (
        lines(select(Node.id, (kid := aliased(Node)).id).join(kid, kid.parent_id == Node.id)),
        [(1, 2)],
    ),
    "select_from_orm_join": (
        scalars(select(User.id).select_from(orm.join(User, Post, User.id == Post.author_id))),
        [1],
    ),
    # Subqueries
    "in_subquery": (scalars(select(Post).where(Post.author_id.in_(select(User.id)))), [1]),
    "not_in_subquery": (
        scalars(select(Post).where(Post.author_id.not_in(select(User.id)))),
        [3],
    ),
    "scalar_subquery": (
        lines(
            select(
                User.id,
                select(func.count(Post.id)).where(Post.author_id == User.id).scalar_subquery(),
            )
        ),
        [(1, 1)],
    ),
    "scalar_subquery_in_where": (
        scalars(
            select(User).where(
                select(func.count())
                .select_from(Post)
                .where(Post.author_id == User.id)
                .scalar_subquery()
                == 1
            )
        ),
        [1],
    ),
    "from_subquery": (scalars(select(numbers.c.id)), [1, 3]),
    "entity_of_subquery": (scalars(select(post_entity)), [1, 3]),
    "nested_subqueries": (
        scalars(select(select(select(Post.id).subquery()).subquery().c.id)),
        [1, 3],
    ),
    "exists": (
        scalars(select(User).where(exists().where(Post.id == 2, Post.author_id == User.id))),
        [],
    ),
    "exists_of_select": (
        scalars(select(User).where(select(Post.id).where(Post.id == 2).exists())),
        [],
    ),
    "exists_alone": (scalars(select(exists().where(User.id == 2))), [False]),
    "exists_of_select_alone": (scalars(select(select(User).where(User.id == 2).exists())), [False]),
    "not_exists": (
        scalars(select(User).where(~exists().where(Profile.user_id == User.id))),
        [1],
    ),
    "any": (scalars(select(User).where(User.posts.any(Post.id == 2))), []),
    "any_without_condition": (scalars(select(Post).where(Post.comments.any())), [1]),
    "not_any": (scalars(select(User).where(~User.posts.any(Post.id == 2))), [1]),
    "any_many_to_many": (scalars(select(Post).where(Post.tags.any(Tag.id == 2))), []),
    "has": (scalars(select(Post).where(Post.author.has())), [1]),
    "not_has": (scalars(select(Post).where(~Post.author.has())), [3]),
    "has_condition": (scalars(select(Post).where(Post.editor.has(User.name == "bob"))), []),
    "any_any": (
        scalars(select(User).where(User.posts.any(Post.comments.any(Comment.id == 2)))),
        [],
    ),
    "case_exists": (
        scalars(select(sa.case((User.posts.any(Post.id == 2), 1), else_=0)).select_from(User)),
        [0],
    ),
    # CTEs and unions
    "cte": (scalars(select(post_cte.c.id)), [1, 3]),
    "join_cte": (
        lines(select(User.id, post_cte.c.id).join(post_cte, post_cte.c.author_id == User.id)),
        [(1, 1)],
    ),
    "count_cte": (scalars(select(func.count()).select_from(post_cte)), [2]),
    "recursive_cte": (scalars(select(tree.c.id)), [1, 2]),
    "union": (scalars(both_users), [1]),
    "union_of_columns": (scalars(select(User.id).union(select(Tag.id + 10))), [1, 11]),
    "union_from_statement": (scalars(select(User).from_statement(both_users)), [1]),
    "union_subquery": (
        scalars(select(aliased(User, both_users.subquery()))),
        [1],
    ),
    "except": (scalars(sa.except_(select(Post.id), select(User.id))), [3]),
    # Many-to-many, inheritance, composite keys
    "secondary_in_where": (
        scalars(select(Tag.id).where(Tag.id == post_tags.c.tag_id, post_tags.c.post_id == 1)),
        [1],
    ),
    "with_parent": (scalars(select(Post).where(orm.with_parent(User(id=1), User.posts))), [1]),
    "single_inheritance_base": (scalars(select(Animal)), [1, 2]),
    "single_inheritance_subclass": (scalars(select(Dog)), [2]),
    "single_inheritance_alias": (scalars(select(aliased(Dog))), [2]),
}


@pytest.mark.parametrize(("form", "expected"), SELECTS.values(), ids=SELECTS)
def test_select(session, form, expected):
    read, statement = form
    assert read(session, statement) == expected


@pytest.mark.parametrize(("form", "_expected"), SELECTS.values(), ids=SELECTS)
def test_select_with_deleted_rows(session, form, _expected):
    """Read the same rows as a plain session."""
    read, statement = form
    with orm.Session(session.connection()) as plain:
        expected = read(plain, statement)
    assert read(session, statement.execution_options(**EVERY_ROW)) == expected


QUERIES = {
    "all": (lambda s: ids(s.query(User).all()), [1]),
    "get": (lambda s: s.query(User).filter_by(id=2).one_or_none(), None),
    "count": (lambda s: s.query(User).count(), 1),
    "first": (lambda s: s.query(User).order_by(User.id.desc()).first().id, 1),
    "join": (lambda s: ids(s.query(Post).join(Post.author)), [1]),
    "exists": (lambda s: s.query(s.query(User).filter_by(id=2).exists()).scalar(), False),
    "subquery": (lambda s: s.query(s.query(User).subquery()).count(), 1),
    "from_self": (lambda s: s.query(aliased(User, s.query(User).subquery())).count(), 1),
    "union": (lambda s: s.query(User).union(s.query(User)).count(), 1),
    "union_all": (lambda s: s.query(User).union_all(s.query(User)).count(), 2),
    "update": (lambda s: s.query(User).update({"name": "new"}), 1),
    "yield_per": (lambda s: ids(s.query(User).yield_per(1)), [1]),
    "with_entities": (lambda s: s.query(User).with_entities(User.id).all(), [(1,)]),
    "execution_option": (
        lambda s: s.query(User).execution_options(**EVERY_ROW).count(),
        2,
    ),
}


@pytest.mark.parametrize(("read", "expected"), QUERIES.values(), ids=QUERIES)
def test_legacy_query(session, read, expected):
    assert read(session) == expected


def test_lateral(session):
    near = aliased(Post, select(Post).where(Post.author_id == User.id).lateral())
    statement = select(User.id, near.id).join(near, sa.true())
    if session.bind.dialect.name == "sqlite":
        with pytest.raises(sa.exc.OperationalError):
            session.execute(statement)
    else:
        assert session.execute(statement).all() == [(1, 1)]


# --- get, refresh, identity map


def test_get(session):
    assert session.get(User, 1).id == 1
    assert session.get(User, 2) is None
    assert session.get(User, 2, execution_options=EVERY_ROW).is_deleted


def test_get_one(session):
    with pytest.raises(sa.exc.NoResultFound):
        session.get_one(User, 2)


@pytest.mark.parametrize("options", [{}, {"populate_existing": True}, {"with_for_update": True}])
def test_get_of_a_deleted_object_in_the_session(session, options):
    held = session.get(User, 2, execution_options=EVERY_ROW)
    assert session.get(User, 2, **options) is None
    assert session.get(User, 2, execution_options=EVERY_ROW, **options) is held


def test_get_of_an_expired_deleted_object(session):
    held = session.get(User, 2, execution_options=EVERY_ROW)
    session.expire(held)
    assert session.get(User, 2) is None


def test_many_to_one_of_a_deleted_object_in_the_session(session):
    held = session.get(User, 2, execution_options=EVERY_ROW)
    post = session.get(Post, 3)
    assert post.author is None
    assert held in session


def test_refresh_of_a_deleted_row_works(session):
    held = session.get(User, 2, execution_options=EVERY_ROW)
    session.execute(sa.update(User.__table__).values(name="new"))
    session.refresh(held)
    assert held.name == "new"
    session.expire(held)
    assert held.is_deleted


def test_expired_and_deferred_attributes_of_a_deleted_row_load(session):
    held = session.scalars(select(Post).where(Post.id == 2).execution_options(**EVERY_ROW)).one()
    assert held.body == ""
    session.expire(held, ["title"])
    assert held.title == ""


@pytest.mark.parametrize("load", [joinedload, selectinload, subqueryload, immediateload])
def test_refresh_loads_live_child_rows(session, load):
    post = (
        session.scalars(
            select(Post).where(Post.id == 1).options(load(Post.comments), load(Post.editor))
        )
        .unique()
        .one()
    )
    assert ids(post.comments) == [1]
    session.expire(post)
    session.refresh(post)
    assert ids(post.comments) == [1]
    assert post.editor is None


@pytest.mark.parametrize("load", [joinedload, selectinload, subqueryload, immediateload])
def test_refresh_in_a_tree_loads_live_child_rows(session, load):
    node = (
        session.scalars(select(Node).where(Node.id == 1).options(load(Node.children)))
        .unique()
        .one()
    )
    session.refresh(node)
    assert ids(node.children) == [2]


# --- Relationships


every_load = pytest.mark.parametrize(
    "load", [None, joinedload, selectinload, subqueryload, immediateload]
)


def one(session, cls, key, load, *attributes, **options):
    """Return one object with its relationships loaded eagerly or lazily."""
    statement = select(cls).where(cls.id == key).execution_options(**options)
    if load:
        statement = statement.options(*map(load, attributes))
    return session.scalars(statement).unique().one()


@every_load
def test_one_to_many(session, load):
    assert ids(one(session, User, 1, load, User.posts).posts) == [1]


@every_load
def test_one_to_one(session, load):
    assert one(session, User, 1, load, User.profile).profile is None


@every_load
def test_many_to_one(session, load):
    post = one(session, Post, 1, load, Post.author, Post.editor, Post.category)
    assert (post.author.id, post.editor, post.category) == (1, None, None)


@every_load
def test_child_row_of_a_deleted_row_has_no_parent(session, load):
    assert one(session, Post, 3, load, Post.author).author is None


@every_load
def test_many_to_many(session, load):
    assert ids(one(session, Post, 1, load, Post.tags).tags) == [1]


@every_load
def test_tree(session, load):
    assert ids(one(session, Node, 1, load, Node.children).children) == [2]
    assert one(session, Node, 4, load, Node.parent).parent is None


@every_load
def test_relationships_with_deleted_rows(session, load):
    user = one(session, User, 1, load, User.posts, User.profile, **EVERY_ROW)
    assert ids(user.posts) == [1, 2]
    assert user.profile.is_deleted


@every_load
def test_tree_with_deleted_rows(session, load):
    node = one(session, Node, 1, load, Node.children, **EVERY_ROW)
    assert ids(node.children) == [2, 3]
    assert ids(node.children[-1].children) == [4]


@pytest.mark.parametrize("outer", [joinedload, selectinload, subqueryload])
@pytest.mark.parametrize("inner", ["joinedload", "selectinload", "subqueryload"])
def test_nested_loads(session, outer, inner):
    load = outer(User.posts)
    user = (
        session.scalars(
            select(User).options(
                getattr(load, inner)(Post.comments), getattr(load, inner)(Post.editor)
            )
        )
        .unique()
        .one()
    )
    assert ids(user.posts) == [1]
    assert ids(user.posts[0].comments) == [1]
    assert user.posts[0].editor is None


def test_contains_eager(session):
    users = session.scalars(select(User).join(User.posts).options(contains_eager(User.posts)))
    assert [ids(user.posts) for user in users.unique()] == [[1]]


def test_relationship_with_criteria(session):
    user = session.scalars(select(User).options(selectinload(User.posts.and_(Post.id > 0)))).one()
    assert ids(user.posts) == [1]


def test_lazy_load_of_an_object_added_here(session):
    user = User(id=9)
    session.add(user)
    session.flush()
    session.execute(
        sa.insert(Post.__table__),
        [
            {"id": 8, "author_id": 9, "deleted_at": None},
            {"id": 9, "author_id": 9, "deleted_at": DELETED},
        ],
    )
    session.expire(user, ["posts"])
    assert ids(user.posts) == [8]


def test_lazy_load_of_a_merged_object(session):
    user = session.merge(User(id=1, name="new"))
    assert user.name == "new"
    assert ids(user.posts) == [1]


def test_merge_onto_a_deleted_row_is_refused_by_the_database(session):
    session.merge(User(id=2, name="new"))
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()


def test_lazy_load_from_an_object_loaded_with_deleted_rows(session):
    user = session.get(User, 1, execution_options=EVERY_ROW)
    assert ids(user.posts) == [1, 2]
    assert ids(user.posts[0].comments) == [1, 2]
    assert user.posts[0].editor.id == 2


def test_options_do_not_accumulate(session, statements):
    user = session.get(User, 1)
    for _ in range(3):
        session.refresh(user)
        session.expire(user, ["posts"])
        assert ids(user.posts) == [1]
        session.expire(user.posts[0])
        assert ids(user.posts[0].comments) == [1]
    assert max(statement.count("deleted_at IS NULL") for statement in statements) == 1


def test_refresh_of_an_object_loaded_with_deleted_rows(session):
    user = session.get(User, 1, execution_options=EVERY_ROW)
    session.refresh(user, ["posts"])
    assert ids(user.posts) == [1, 2]


def test_loaded_object_can_be_pickled(session):
    users = session.scalars(select(User).execution_options(**EVERY_ROW)).all()
    users += session.scalars(select(User)).all()
    assert [user.id for user in pickle.loads(pickle.dumps(users))] == [1, 2, 1]  # noqa: S301


def test_compiled_statements_are_found_in_the_cache(session):
    cache = {}
    session.connection().execution_options(compiled_cache=cache)

    def read():
        for user in session.scalars(select(User).where(User.posts.any()).order_by(User.id)):
            assert ids(user.posts) == [1]
        session.scalars(select(Post).options(joinedload(Post.author))).all()
        session.scalar(select(func.count()).select_from(User))
        session.get(User, 2)
        session.get(User, 1, execution_options=EVERY_ROW)
        session.execute(sa.update(Post).values(title="new").where(Post.id == 1))

    read()
    compiled = len(cache)
    for _ in range(5):
        session.expunge_all()
        read()
    assert len(cache) == compiled


def test_statements_are_filtered_once_and_not_kept(session):
    statement = select(User)
    session.scalars(statement).all()
    filtered = soft_delete._live[statement]  # noqa: SLF001
    session.scalars(statement).all()
    assert soft_delete._live[statement] is filtered  # noqa: SLF001
    kept = weakref.ref(statement)
    del statement, filtered
    gc.collect()
    assert kept() is None


def test_identity_lookup_is_what_session_get_asks(session, monkeypatch):
    """`Session._identity_lookup` is private: this fails if SQLAlchemy renames or bypasses it."""
    asked = []
    lookup = orm.Session._identity_lookup  # noqa: SLF001

    def note(self, *args, **kwargs):
        asked.append(args[0].class_)
        return lookup(self, *args, **kwargs)

    monkeypatch.setattr(orm.Session, "_identity_lookup", note)
    post = session.get(Post, 1)
    assert post.author.id == 1
    session.get(Post, 1)
    assert asked == [Post, User, Post]


# --- Streaming, updates, opting out


def test_streaming(session):
    assert ids(session.scalars(select(User).execution_options(yield_per=1))) == [1]
    assert ids(session.scalars(select(User).execution_options(stream_results=True))) == [1]


def test_partitions(session):
    users = select(User).execution_options(yield_per=1, **EVERY_ROW)
    assert [len(part) for part in session.scalars(users).partitions()] == [1, 1]


@pytest.mark.parametrize("synchronize", [False, "auto", "evaluate", "fetch"])
def test_bulk_update(session, synchronize):
    held = session.get(User, 2, execution_options=EVERY_ROW)
    session.execute(
        sa.update(User).values(name="new").execution_options(synchronize_session=synchronize)
    )
    session.expire_all()
    assert session.get(User, 1).name == "new"
    assert held.name == "bob"


def test_bulk_update_with_returning(session):
    changed = session.scalars(sa.update(User).values(name="new").returning(User))
    assert ids(changed) == [1]


def test_bulk_update_where_another_class_is_live(session):
    session.execute(sa.update(Post).values(title="new").where(Post.author_id.in_(select(User.id))))
    session.execute(sa.update(Post).values(title="newer").where(Post.editor.has()))
    titles = session.execute(select(Post.id, Post.title).execution_options(**EVERY_ROW)).all()
    assert sorted(titles) == [(1, "new"), (2, ""), (3, "")]


def test_bulk_update_from_a_scalar_subquery(session):
    count = select(func.count(Post.id)).where(Post.author_id == User.id).scalar_subquery()
    session.execute(sa.update(User).values(name=sa.cast(count, sa.String)))
    assert session.scalars(select(User.name)).all() == ["1"]


def test_bulk_update_with_deleted_rows(session):
    statement = sa.update(User).values(name="new").execution_options(**EVERY_ROW)
    assert session.execute(statement).rowcount == 2


def test_session_with_deleted_rows(session):
    session.execution_options = session.execution_options.union(EVERY_ROW)
    user = session.get(User, 1)
    assert ids(user.posts) == [1, 2]
    assert user.profile.is_deleted
    assert session.get(User, 2).is_deleted
    assert session.scalar(select(func.count()).select_from(Post)) == 3


def test_insert_from_select(session):
    session.execute(sa.insert(Tag).from_select(["id"], select(User.id + 100)))
    assert session.scalars(select(Tag.id).where(Tag.id > 100)).all() == [101]


# --- The limits named by the package's docstring


def test_statements_on_tables_are_not_filtered(session):
    users = User.__table__
    assert session.scalar(select(func.count()).select_from(users)) == 2
    assert session.scalar(sa.text("SELECT count(*) FROM users")) == 2
    assert session.connection().scalar(select(func.count(User.id))) == 2


def test_text_from_statement_is_not_filtered(session):
    statement = select(User).from_statement(sa.text("SELECT * FROM users"))
    assert len(session.scalars(statement).all()) == 2


def test_bulk_update_by_primary_key_is_not_filtered(session):
    session.execute(sa.update(User), [{"id": 1, "name": "new"}, {"id": 2, "name": "new"}])
    names = session.scalars(select(User.name).execution_options(**EVERY_ROW)).all()
    assert names == ["new", "new"]


def test_second_class_of_an_update_is_not_filtered(session):
    statement = sa.update(Post).where(Post.editor_id == User.id).values(title="new")
    options = {"synchronize_session": False}
    # The editor is deleted.
    assert session.execute(statement, execution_options=options).rowcount == 1


def test_subquery_as_the_value_of_an_attribute_is_not_filtered(session):
    user = session.get(User, 1)
    user.name = select(func.max(User.name)).scalar_subquery()
    session.flush()
    session.refresh(user)
    assert user.name == "bob"


def test_function_arguments_and_second_classes_are_not_filtered(session):
    gone = func.lower(User.name) == "bob"
    assert session.scalar(select(func.count()).where(gone)) == 1
    assert session.scalar(select(func.count()).select_from(User).where(gone)) == 0
    names = func.coalesce(Post.title, "") + User.name
    found = session.scalars(select(names).where(func.coalesce(Post.editor_id, 0) == User.id))
    # The post is deleted.
    assert found.all() == ["ann"]


def test_statements_that_take_no_options_pass(session):
    session.execute(CreateTable(sa.Table("found", sa.MetaData(), sa.Column("id", sa.Integer))))
    if session.get_bind().dialect.name == "postgresql":
        session.execute(CreateSequence(sa.Sequence("numbers")))
        assert session.scalar(sa.Sequence("numbers")) == 1


def test_any_and_has_from_a_class_to_itself_are_not_filtered(session):
    assert ids(session.scalars(select(Node).where(Node.parent.has()))) == [2, 4]
    assert ids(session.scalars(select(Node).where(Node.children.any(Node.id == 3)))) == [1]
    # An alias sees live rows.
    parent, child = aliased(Node), aliased(Node)
    assert ids(session.scalars(select(Node).where(Node.parent.of_type(parent).has()))) == [2]
    statement = select(Node).where(Node.children.of_type(child).any(child.id == 3))
    assert session.scalars(statement).all() == []


OUTER_JOINS = {
    "class": lambda: orm.outerjoin(User, Profile, Profile.user_id == User.id),
    "core": lambda: sa.outerjoin(User, Profile, Profile.user_id == User.id),
    "alias": lambda: orm.outerjoin(User, posts, posts.author_id == User.id),
    "inner join": lambda: orm.outerjoin(
        User, orm.join(Post, Comment, Comment.post_id == Post.id), Post.author_id == User.id
    ),
    "on the left": lambda: orm.join(
        orm.outerjoin(User, Profile, Profile.user_id == User.id), Post, Post.author_id == User.id
    ),
}


@pytest.mark.parametrize("join", OUTER_JOINS.values(), ids=OUTER_JOINS)
def test_outer_join_functions_are_refused(session, join):
    for statement in (
        select(User.id).select_from(join()),
        select(Tag.id).where(Tag.id.in_(select(User.id).select_from(join()))),
    ):
        with pytest.raises(sa.exc.InvalidRequestError, match="select_from"):
            session.execute(statement)
        session.execute(statement, execution_options=EVERY_ROW)


def test_outer_join_of_an_unfiltered_source_is_allowed(session):
    profile = select(Profile.user_id).subquery()
    users = User.__table__
    for join, expected in (
        (orm.outerjoin(User, profile, profile.c.user_id == User.id), [(1, None)]),
        (orm.outerjoin(User, post_tags, post_tags.c.post_id == User.id), [(1, 1), (1, 1)]),
    ):
        column = next(iter(join.right.c))
        found = session.execute(select(User.id, column).select_from(join)).all()
        assert found == expected
    plain = users.outerjoin(Profile.__table__, Profile.__table__.c.user_id == users.c.id)
    assert session.execute(select(users.c.id).select_from(plain)).all() == [(1,), (2,)]


def test_outer_sides_of_a_full_join_are_not_filtered(session):
    statement = select(Post.id, User.id).join(User, Post.author_id == User.id, full=True)
    assert sorted(session.execute(statement), key=repr) == [(1, 1), (3, None), (None, 2)]


def test_filter_alone_in_a_subquery_is_not_filtered(session):
    count = select(func.count(User.id).filter(User.id > 0))
    assert session.scalar(select(count.scalar_subquery())) == 2
    # select_from() shows the class.
    assert session.scalar(select(count.select_from(User).scalar_subquery())) == 1


def test_merge_onto_a_deleted_object_in_the_session_changes_it(session):
    held = session.get(User, 2, execution_options=EVERY_ROW)
    session.merge(User(id=2, name="new"))
    session.flush()
    assert (held.name, held.is_deleted) == ("new", True)


def test_loaded_collection_keeps_a_row_that_is_deleted_later(session):
    user = session.scalars(select(User).options(selectinload(User.posts))).one()
    session.delete(user.posts[0])
    assert ids(user.posts) == [1]
    session.expire(user, ["posts"])
    assert user.posts == []
