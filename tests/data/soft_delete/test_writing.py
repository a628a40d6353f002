"""Deleting, restoring, creating below, removing for good."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from app.db import soft_delete
from app.db.soft_delete import (
    NotLiveError,
    ParentDeletedError,
    SoftDeleteMixin,
    StillReferencedError,
    cascade,
    hard_delete,
    insert,
    purge,
    require_parents,
)
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from .models import (
    Base,
    Category,
    Color,
    Comment,
    Dog,
    Hold,
    Node,
    Note,
    Player,
    Post,
    Profile,
    Sample,
    Tag,
    Team,
    User,
    post_tags,
)

EVERY_ROW = {"include_deleted": True}
EVER = dt.timedelta(0)


def store(session, *objects):
    session.add_all(objects)
    session.flush()
    return objects[0] if len(objects) == 1 else objects


def marks(session, cls):
    """Return the marks of all rows of a class, in the order of their keys."""
    mapper = sa.inspect(cls)
    statement = select(cls.deleted_at).order_by(*mapper.primary_key)
    return session.scalars(statement.execution_options(**EVERY_ROW)).all()


def live(session, cls):
    return session.scalar(select(func.count()).select_from(cls))


def blog(session, key=1):
    """Store a user with a profile and two posts, the first with two comments."""
    return store(
        session,
        User(
            id=key,
            profile=Profile(),
            posts=[Post(comments=[Comment(), Comment()]), Post(title="second")],
        ),
    )


# --- Deleting


@pytest.fixture(params=["session.delete", "delete"])
def delete(request):
    """Delete an object in both ways."""
    if request.param == "session.delete":
        return lambda session, row: session.delete(row)
    return lambda session, row: soft_delete.delete(session, type(row), row.id)


def restore(session, row):
    return soft_delete.restore(session, type(row), row.id)


def test_delete_marks_the_row(session, delete):
    user = store(session, User(id=1))
    before = dt.datetime.now(dt.UTC)
    delete(session, user)
    assert user.is_deleted
    assert before <= user.deleted_at <= dt.datetime.now(dt.UTC)
    assert user.deleted_at.utcoffset() == dt.timedelta(0)
    assert marks(session, User) == [user.deleted_at]
    assert session.get(User, 1) is None


def test_delete_takes_every_level_below(session, delete):
    user = blog(session)
    delete(session, user)
    for cls in (User, Profile, Post, Comment):
        assert set(marks(session, cls)) == {user.deleted_at}, cls


def test_delete_leaves_the_rest(session, delete):
    first, second = blog(session, 1), blog(session, 2)
    delete(session, first)
    assert not second.is_deleted
    assert [live(session, cls) for cls in (User, Profile, Post, Comment)] == [1, 1, 2, 2]


def test_delete_takes_what_is_not_flushed_yet(session, delete):
    user = store(session, User(id=1))
    session.add(Post(id=1, author_id=1))
    delete(session, user)
    assert live(session, Post) == 0


def test_delete_keeps_objects_in_the_session_true(session, delete):
    user = blog(session)
    post, comment = user.posts[0], user.posts[0].comments[0]
    delete(session, user)
    assert "deleted_at" not in sa.inspect(post).expired_attributes
    assert (post.deleted_at, comment.deleted_at) == (user.deleted_at, user.deleted_at)


def test_delete_is_no_change_of_the_row(session, delete):
    user = blog(session)
    post = user.posts[0]
    before = post.updated_at
    delete(session, user)
    assert not sa.inspect(post).expired_attributes
    assert post.updated_at == before
    restore(session, user)
    assert not sa.inspect(post).expired_attributes
    session.expire(post)
    assert post.updated_at == before


def test_second_delete_keeps_the_timestamp(session, delete):
    user = blog(session)
    delete(session, user)
    first = user.deleted_at
    delete(session, user)
    assert user.deleted_at == first
    assert marks(session, User) == [first]


def test_delete_keeps_older_timestamps_below(session, delete):
    user = blog(session)
    post = user.posts[0]
    delete(session, post)
    delete(session, user)
    assert post.deleted_at < user.deleted_at
    assert marks(session, Post) == [post.deleted_at, user.deleted_at]


def test_rollback_undoes_a_delete(session, delete):
    user = blog(session)
    session.commit()
    delete(session, user)
    session.rollback()
    assert marks(session, Post) == [None, None]
    assert not session.get(User, 1).is_deleted


def test_savepoint_undoes_a_delete(session, delete):
    user = blog(session)
    with session.begin_nested() as savepoint:
        delete(session, user)
        savepoint.rollback()
    assert not user.is_deleted
    assert marks(session, Post) == [None, None]


def test_set_null_references_stay(session, delete):
    editor, post = store(session, User(id=2), Post(id=1, author=User(id=1), editor_id=2))
    delete(session, editor)
    session.expire(post)
    assert (post.is_deleted, post.editor_id, post.editor) == (False, 2, None)


def test_live_row_that_restricts_refuses_the_delete(session, delete):
    category, _ = store(session, Category(id=1), Post(author=User(), category_id=1))
    with pytest.raises(StillReferencedError) as caught:
        delete(session, category)
    assert (caught.value.table, caught.value.columns) == ("posts", ("category_id",))
    assert not category.is_deleted
    assert marks(session, Category) == [None]


def test_refusal_further_down_leaves_nothing_marked(session, delete):
    user = blog(session)
    store(session, Hold(user_id=1))
    with pytest.raises(StillReferencedError):
        delete(session, user)
    session.commit()
    assert marks(session, User) == [None]
    assert marks(session, Post) == [None, None]


def test_deleted_row_that_restricts_does_not_matter(session, delete):
    category, post = store(session, Category(id=1), Post(author=User(), category_id=1))
    delete(session, post)
    delete(session, category)
    assert category.is_deleted


def test_row_that_restricts_but_goes_along_does_not_matter(session, delete):
    user = blog(session)
    user.profile.pinned_id = user.posts[0].id
    session.flush()
    with pytest.raises(StillReferencedError):
        delete(session, user.posts[0])
    delete(session, user)
    assert live(session, Post) == 0


def test_delete_of_many_to_many_keeps_the_association(session, delete):
    tag = store(session, Tag(id=1, posts=[Post(id=1, author=User())]))
    delete(session, tag)
    post = session.get(Post, 1)
    session.expire(post)
    assert post.tags == []
    assert session.scalar(select(func.count()).select_from(post_tags)) == 1
    restore(session, tag)
    session.expire(post)
    assert post.tags == [tag]


def test_delete_in_a_tree(session, delete):
    root = store(session, Node(id=1, children=[Node(id=2, children=[Node(id=3)]), Node(id=4)]))
    delete(session, root.children[0])
    assert [mark is None for mark in marks(session, Node)] == [True, False, False, True]
    delete(session, root)
    assert live(session, Node) == 0


def test_delete_in_a_circle_ends(session, delete):
    first, second = store(session, Node(id=1), Node(id=2, parent_id=1))
    first.parent_id = 2
    delete(session, second)
    assert live(session, Node) == 0



def test_delete_of_single_table_inheritance(session, delete):
    dog = store(session, Dog(id=1))
    delete(session, dog)
    assert live(session, Dog) == 0



def test_delete_of_more_rows_than_a_statement_takes_parameters(session, delete):
    user = store(session, User(id=1))
    session.execute(sa.insert(Post), [{"id": key, "author_id": 1} for key in range(1, 2501)])
    session.execute(sa.insert(Comment), [{"post_id": key} for key in range(1, 2501)])
    delete(session, user)
    assert (live(session, Post), live(session, Comment)) == (0, 0)


def test_delete_of_a_detached_object(session):
    user = store(session, User(id=1))
    session.expunge(user)
    session.delete(user)
    assert user.is_deleted


def test_delete_of_an_object_that_is_not_stored(session):
    with pytest.raises(InvalidRequestError):
        session.delete(User(id=1))


def test_session_delete_of_a_class_without_the_mixin(session):
    note = store(session, Note(user=User(id=1)))
    session.delete(note)
    session.flush()
    assert live(session, Note) == 0


def test_deletes_in_a_loop_have_timestamps_in_order(session, delete):
    users = store(session, *(User() for _ in range(50)))
    for user in users:
        delete(session, user)
    stamps = [user.deleted_at for user in users]
    assert stamps == sorted(set(stamps))


def test_clock_that_stands_still_or_goes_back(session, monkeypatch):
    users = store(session, *(User() for _ in range(4)))
    session.delete(users[0])
    now = users[0].deleted_at
    times = iter([now, now, now - dt.timedelta(hours=1)])
    monkeypatch.setattr(cascade, "utcnow", lambda: next(times))
    for user in users[1:]:
        session.delete(user)
    stamps = [user.deleted_at for user in users]
    assert stamps == sorted(set(stamps))


# --- What would remove rows is refused


def test_bulk_delete_is_refused(session):
    store(session, User(id=1))
    with pytest.raises(InvalidRequestError, match="users"):
        session.execute(sa.delete(User))
    with pytest.raises(InvalidRequestError, match="users"):
        session.execute(sa.delete(User).execution_options(**EVERY_ROW))
    with pytest.raises(InvalidRequestError, match="users"):
        session.query(User).delete()
    with pytest.raises(InvalidRequestError, match="users"):
        session.execute(sa.delete(User.__table__))
    assert live(session, User) == 1


def test_bulk_delete_of_a_parent_without_the_mixin_is_refused(session):
    with pytest.raises(InvalidRequestError, match="players"):
        session.execute(sa.delete(Team))


def test_delete_of_a_parent_without_the_mixin_is_refused(session):
    team = store(session, Team(id=1))
    session.delete(team)
    with pytest.raises(InvalidRequestError, match="players"):
        session.flush()


def test_delete_orphan_is_refused(session):
    team = store(session, Team(id=1, players=[Player(id=1)]))
    team.players.clear()
    with pytest.raises(InvalidRequestError, match="players"):
        session.flush()
    session.rollback()


def test_bulk_delete_of_a_class_without_the_mixin(session):
    store(session, Note(user=User(id=1)))
    session.execute(sa.delete(Note).where(Note.user.has()))
    assert live(session, Note) == 0



# --- Restoring


def test_restore_brings_back_what_the_deletion_took(session):
    user = blog(session)
    session.delete(user)
    restore(session, user)
    assert not user.is_deleted
    for cls in (User, Profile, Post, Comment):
        assert set(marks(session, cls)) == {None}, cls


def test_restore_leaves_what_was_deleted_on_its_own(session):
    user = blog(session)
    session.delete(user.posts[0])
    session.delete(user)
    restore(session, user)
    assert [mark is None for mark in marks(session, Post)] == [False, True]
    assert live(session, Comment) == 0


def test_restore_leaves_what_another_deletion_took(session):
    first, second = blog(session, 1), blog(session, 2)
    session.delete(first)
    session.delete(second)
    restore(session, first)
    assert live(session, User) == 1
    assert live(session, Post) == 2
    assert second.is_deleted


def test_restore_leaves_another_deletion_of_the_same_moment(session):
    """Two processes have two clocks."""
    first, second = blog(session, 1), blog(session, 2)
    session.delete(first)
    session.delete(second)
    for cls in (User, Post, Comment, Profile):
        session.execute(
            sa.update(cls).values(deleted_at=first.deleted_at).execution_options(**EVERY_ROW)
        )
    restore(session, first)
    assert [live(session, cls) for cls in (User, Post, Comment)] == [1, 2, 2]


def test_restore_of_a_live_row_does_nothing(session):
    user = blog(session)
    session.delete(user.posts[0])
    restore(session, user)
    assert live(session, Post) == 1


def test_restore_sees_what_the_database_has(session):
    """The object is older than the row."""
    user = blog(session)
    session.delete(user)
    session.execute(sa.update(User.__table__).values(deleted_at=None))
    session.execute(sa.update(Post.__table__).values(deleted_at=None))
    restore(session, user)
    assert not user.is_deleted
    assert live(session, Comment) == 0


def test_restore_keeps_objects_in_the_session_true(session):
    user = blog(session)
    post = user.posts[0]
    session.delete(user)
    restore(session, user)
    assert "deleted_at" not in sa.inspect(post).expired_attributes
    assert not post.is_deleted


def test_restore_below_a_deleted_parent_is_refused(session):
    user = blog(session)
    post = user.posts[0]
    session.delete(user)
    with pytest.raises(ParentDeletedError) as caught:
        restore(session, post)
    assert caught.value.table == "users"
    assert post.is_deleted
    assert live(session, Comment) == 0


def test_restore_below_a_parent_that_was_deleted_later_is_refused(session):
    user = blog(session)
    post = user.posts[0]
    session.delete(post)
    session.delete(user)
    with pytest.raises(ParentDeletedError):
        restore(session, post)
    restore(session, user)
    restore(session, post)
    assert live(session, Comment) == 2


def test_restore_is_refused_if_anything_below_has_another_deleted_parent(session):
    user, category = store(session, User(id=1), Category(id=1))
    store(session, Post(id=1, author_id=1, category_id=1), Post(id=2, author_id=1))
    session.delete(user)
    session.delete(category)
    with pytest.raises(ParentDeletedError) as caught:
        restore(session, user)
    assert caught.value.table == "categories"
    session.commit()
    assert (live(session, User), live(session, Post)) == (0, 0)
    restore(session, category)
    restore(session, user)
    assert (live(session, User), live(session, Post)) == (1, 2)


def test_restore_with_a_deleted_set_null_parent(session):
    editor, post = store(session, User(id=2), Post(id=1, author=User(id=1), editor_id=2))
    session.delete(editor)
    session.delete(post)
    restore(session, post)
    assert post.editor is None
    restore(session, editor)
    session.expire(post)
    assert post.editor is editor


def test_restore_over_a_live_row_with_the_same_unique_value(session):
    user = store(session, User(id=1, email="a@example.org"))
    session.delete(user)
    store(session, User(id=2, email="a@example.org"))
    with pytest.raises(IntegrityError):
        restore(session, user)
    session.expire_all()
    assert user.is_deleted


def test_restore_in_a_tree(session):
    root = store(session, Node(id=1, children=[Node(id=2, children=[Node(id=3)]), Node(id=4)]))
    middle = root.children[0]
    session.delete(middle.children[0])
    session.delete(root)
    with pytest.raises(ParentDeletedError):
        restore(session, middle)
    restore(session, root)
    assert [mark is None for mark in marks(session, Node)] == [True, True, False, True]



# --- Uniqueness


def test_unique_value_of_a_deleted_row_is_free(session):
    for _ in range(3):
        user = store(session, User(email="a@example.org"))
        session.delete(user)
    store(session, User(email="a@example.org"))
    session.add(User(email="a@example.org"))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


# --- Inserting and moving


def test_insert(session, statements):
    store(session, User(id=1), User(id=2))
    statements.clear()
    post = insert(session, Post, {"title": "a", "author_id": 1, "editor_id": 2})
    assert len(statements) == 1
    assert post in session
    assert (post.title, post.author_id, post.editor_id, post.category_id) == ("a", 1, 2, None)
    assert (post.is_deleted, post.updated_at.tzinfo) == (False, dt.UTC)
    session.expire(post)
    assert (post.title, post.author.id) == ("a", 1)


def test_insert_without_references(session):
    root = insert(session, Node, {"parent_id": None})
    user = insert(session, User, {"name": "ann"})
    assert (root.parent_id, user.name) == (None, "ann")
    assert insert(session, Node, {"parent_id": root.id}).parent_id == root.id


VALUES = {
    "string": "a",
    "text": "b",
    "integer": 2**31 - 1,
    "bigint": 2**63 - 1,
    "double": 0.1,
    "decimal": Decimal("1.50"),
    "boolean": True,
    "date": dt.date(2026, 1, 2),
    "datetime": dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
    "uuid": UUID(int=1),
    "json": {"a": [1]},
    "color": Color.GREEN,
}


@pytest.mark.parametrize("values", [VALUES, dict.fromkeys(VALUES)], ids=["values", "nulls"])
def test_insert_of_every_type(session, values):
    store(session, Node(id=1))
    for _ in range(2):
        row = insert(session, Sample, {"node_id": 1, **values})
        assert {name: getattr(row, name) for name in values} == values
        session.expire(row)
        assert {name: getattr(row, name) for name in values} == values


@pytest.mark.parametrize(
    ("values", "table", "column"),
    [
        ({"author_id": 2}, "users", "author_id"),
        ({"author_id": 9}, "users", "author_id"),
        ({"author_id": 1, "editor_id": 2}, "users", "editor_id"),
        ({"author_id": 1, "category_id": 9}, "categories", "category_id"),
    ],
)
def test_insert_that_references_no_live_row_is_refused(session, values, table, column):
    _, deleted = store(session, User(id=1), User(id=2))
    session.delete(deleted)
    with pytest.raises(NotLiveError) as caught:
        insert(session, Post, values)
    assert (caught.value.table, caught.value.columns) == (table, (column,))
    assert marks(session, Post) == []


def test_insert_of_a_duplicate_value_is_the_database_s_error(session):
    store(session, Node(id=1))
    insert(session, Sample, {"id": 1, "node_id": 1})
    with pytest.raises(IntegrityError):
        insert(session, Sample, {"id": 1, "node_id": 1})


def test_insert_below_a_row_that_is_not_flushed_yet(session):
    session.add(User(id=1))
    assert insert(session, Post, {"author_id": 1}).author_id == 1


def test_require_parents(session):
    editor, _ = store(session, User(id=2), User(id=1))
    values = {"title": "", "author_id": 1, "editor_id": 2, "category_id": None}
    require_parents(session, Post, values)
    require_parents(session, Post, {})
    session.delete(editor)
    with pytest.raises(NotLiveError) as caught:
        require_parents(session, Post, values)
    assert (caught.value.table, caught.value.columns) == ("users", ("editor_id",))
    require_parents(session, Post, {"author_id": 1})



# --- For real


def test_hard_delete_removes_the_row_and_what_is_below(session):
    user = blog(session)
    hard_delete(session, User, 1)
    assert session.get(User, 1, execution_options=EVERY_ROW) is None
    assert [marks(session, cls) for cls in (User, Profile, Post, Comment)] == [[], [], [], []]


def test_hard_delete_of_a_deleted_row(session):
    user = blog(session)
    session.delete(user)
    hard_delete(session, User, 1)
    assert marks(session, User) == []


def test_hard_delete_of_a_row_that_another_restricts(session):
    user = blog(session)
    store(session, Hold(user_id=1))
    with pytest.raises(IntegrityError):
        hard_delete(session, User, 1)



def test_purge_removes_only_what_is_old_enough(session):
    users = store(session, *(User(id=key) for key in range(1, 5)))
    for user in users[:3]:
        session.delete(user)
    assert purge(session, User, users[2].deleted_at) == 2
    assert purge(session, User, dt.timedelta(days=1)) == 0
    assert len(marks(session, User)) == 2
    assert purge(session, User, EVER) == 1
    assert marks(session, User) == [None]


def test_purge_in_batches_the_oldest_first(session):
    users = store(session, *(User(id=key) for key in range(1, 6)))
    for user in reversed(users):
        session.delete(user)
    assert purge(session, User, EVER, batch=2) == 2
    left = select(User.id).order_by(User.id).execution_options(**EVERY_ROW)
    assert session.scalars(left).all() == [1, 2, 3]
    assert [purge(session, User, EVER, batch=2) for _ in range(3)] == [2, 1, 0]


def test_purge_goes_from_below(session):
    user = blog(session)
    session.delete(user)
    assert purge(session, User, EVER) == 0
    assert purge(session, Post, EVER) == 1
    assert purge(session, Comment, EVER) == 2
    assert purge(session, Post, EVER) == 1
    assert purge(session, Profile, EVER) == 1
    assert purge(session, User, EVER) == 1


def test_purge_passes_by_what_is_still_referred_to(session):
    held, free = store(session, User(id=1), User(id=2))
    session.delete(held)
    store(session, Hold(user_id=1))
    session.delete(free)
    assert purge(session, User, EVER, batch=1) == 1
    assert marks(session, User) == [held.deleted_at]


def test_purge_never_takes_live_rows_along(session):
    blog(session)
    session.execute(
        sa.update(User.__table__).values(deleted_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    )
    assert purge(session, User, EVER) == 0
    assert live(session, Post) == 2


def test_purge_clears_set_null_references(session):
    editor, post = store(session, User(id=2), Post(id=1, author=User(id=1), editor_id=2))
    session.delete(editor)
    assert purge(session, User, EVER) == 1
    session.expire(post)
    assert (post.is_deleted, post.editor_id) == (False, None)


def test_purge_takes_rows_without_the_mixin_along(session):
    note = store(session, Note(user=User(id=1)))
    session.delete(note.user)
    session.expunge(note)
    assert purge(session, User, EVER) == 1
    assert live(session, Note) == 0


def test_purge_of_a_tree_goes_leaf_by_leaf(session):
    root = store(session, Node(id=1, children=[Node(id=2, children=[Node(id=3)]), Node(id=4)]))
    own = store(session, Node(id=9))
    own.parent_id = 9
    session.delete(root)
    session.delete(own)
    assert [purge(session, Node, EVER) for _ in range(4)] == [3, 1, 1, 0]



def test_purged_objects_leave_the_session(session):
    user = store(session, User(id=1))
    session.delete(user)
    purge(session, User, EVER)
    assert user not in session
