"""Deleting, restoring, creating below, removing for good."""

import datetime as dt

import pytest
import sqlalchemy as sa
from app.db import soft_delete as module
from app.db.soft_delete import (
    NotLiveError,
    ParentDeletedError,
    SoftDeleteMixin,
    StillReferencedError,
)
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from .models import (
    Account,
    Base,
    Category,
    Comment,
    Dog,
    Employee,
    Entry,
    Hold,
    Manager,
    Node,
    Note,
    Office,
    Player,
    Post,
    Profile,
    Report,
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


@pytest.fixture(params=["session.delete", "soft_delete"])
def delete(request, api):
    """Both ways to delete."""
    if request.param == "soft_delete":
        return api.soft_delete
    return lambda session, obj: session.delete(obj)


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


def test_delete_is_no_change_of_the_row(session, delete, api):
    user = blog(session)
    post = user.posts[0]
    before = post.updated_at
    delete(session, user)
    assert not sa.inspect(post).expired_attributes
    assert post.updated_at == before
    api.restore(session, user)
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


def test_delete_of_many_to_many_keeps_the_association(session, delete, api):
    tag = store(session, Tag(id=1, posts=[Post(id=1, author=User())]))
    delete(session, tag)
    post = session.get(Post, 1)
    session.expire(post)
    assert post.tags == []
    assert session.scalar(select(func.count()).select_from(post_tags)) == 1
    api.restore(session, tag)
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


def test_delete_across_joined_inheritance(session, delete):
    office = store(session, Office(id=1))
    store(session, Manager(id=1, office_id=1, reports=[Report()]), Manager(id=2), Employee(id=3))
    delete(session, office)
    assert [mark is None for mark in marks(session, Employee)] == [False, True, True]
    assert live(session, Report) == 0


def test_delete_of_a_subclass(session, delete):
    manager = store(session, Manager(id=1, reports=[Report()]))
    delete(session, manager)
    assert (live(session, Employee), live(session, Manager), live(session, Report)) == (0, 0, 0)


def test_delete_of_single_table_inheritance(session, delete):
    dog = store(session, Dog(id=1))
    delete(session, dog)
    assert live(session, Dog) == 0


def test_delete_by_composite_key(session, delete):
    store(session, Account(region="eu", number=2), Account(region="us", number=1))
    store(session, Entry(region="eu", number=2, line=1), Entry(region="us", number=1, line=1))
    account = store(session, Account(region="eu", number=1, entries=[Entry(line=1), Entry(line=2)]))
    delete(session, account)
    assert live(session, Account) == 2
    assert live(session, Entry) == 2


def test_delete_of_more_rows_than_a_statement_takes_parameters(session, delete):
    user = store(session, User(id=1))
    session.execute(sa.insert(Post), [{"id": key, "author_id": 1} for key in range(1, 2501)])
    session.execute(sa.insert(Comment), [{"post_id": key} for key in range(1, 2501)])
    delete(session, user)
    assert (live(session, Post), live(session, Comment)) == (0, 0)


def test_delete_of_a_detached_object(session, delete):
    user = store(session, User(id=1))
    session.expunge(user)
    delete(session, user)
    assert user.is_deleted


def test_delete_of_an_object_that_is_not_stored(session, delete):
    with pytest.raises(InvalidRequestError):
        delete(session, User(id=1))


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


def test_clock_that_stands_still_or_goes_back(session, api, monkeypatch):
    users = store(session, *(User() for _ in range(4)))
    api.soft_delete(session, users[0])
    now = users[0].deleted_at
    times = iter([now, now, now - dt.timedelta(hours=1)])
    monkeypatch.setattr(module, "utcnow", lambda: next(times))
    for user in users[1:]:
        api.soft_delete(session, user)
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
    with pytest.raises(InvalidRequestError, match="managers"):
        session.execute(sa.delete(Manager.__table__))
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


def test_mixin_below_the_root_of_a_hierarchy_is_refused():
    class Root(Base):
        __table__ = sa.Table("roots", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))

    with pytest.raises(TypeError, match=r"Leaf.*Root"):

        class Leaf(SoftDeleteMixin, Root):
            pass


# --- Restoring


def test_restore_brings_back_what_the_deletion_took(session, api):
    user = blog(session)
    api.soft_delete(session, user)
    api.restore(session, user)
    assert not user.is_deleted
    for cls in (User, Profile, Post, Comment):
        assert set(marks(session, cls)) == {None}, cls


def test_restore_leaves_what_was_deleted_on_its_own(session, api):
    user = blog(session)
    api.soft_delete(session, user.posts[0])
    api.soft_delete(session, user)
    api.restore(session, user)
    assert [mark is None for mark in marks(session, Post)] == [False, True]
    assert live(session, Comment) == 0


def test_restore_leaves_what_another_deletion_took(session, api):
    first, second = blog(session, 1), blog(session, 2)
    api.soft_delete(session, first)
    api.soft_delete(session, second)
    api.restore(session, first)
    assert live(session, User) == 1
    assert live(session, Post) == 2
    assert second.is_deleted


def test_restore_leaves_another_deletion_of_the_same_moment(session, api):
    """Two processes have two clocks."""
    first, second = blog(session, 1), blog(session, 2)
    api.soft_delete(session, first)
    api.soft_delete(session, second)
    for cls in (User, Post, Comment, Profile):
        session.execute(
            sa.update(cls).values(deleted_at=first.deleted_at).execution_options(**EVERY_ROW)
        )
    api.restore(session, first)
    assert [live(session, cls) for cls in (User, Post, Comment)] == [1, 2, 2]


def test_restore_of_a_live_row_does_nothing(session, api):
    user = blog(session)
    api.soft_delete(session, user.posts[0])
    api.restore(session, user)
    assert live(session, Post) == 1


def test_restore_sees_what_the_database_has(session, api):
    """The object is older than the row."""
    user = blog(session)
    api.soft_delete(session, user)
    session.execute(sa.update(User.__table__).values(deleted_at=None))
    session.execute(sa.update(Post.__table__).values(deleted_at=None))
    api.restore(session, user)
    assert not user.is_deleted
    assert live(session, Comment) == 0


def test_restore_keeps_objects_in_the_session_true(session, api):
    user = blog(session)
    post = user.posts[0]
    api.soft_delete(session, user)
    api.restore(session, user)
    assert "deleted_at" not in sa.inspect(post).expired_attributes
    assert not post.is_deleted


def test_restore_below_a_deleted_parent_is_refused(session, api):
    user = blog(session)
    post = user.posts[0]
    api.soft_delete(session, user)
    with pytest.raises(ParentDeletedError) as caught:
        api.restore(session, post)
    assert caught.value.table == "users"
    assert post.is_deleted
    assert live(session, Comment) == 0


def test_restore_below_a_parent_that_was_deleted_later_is_refused(session, api):
    user = blog(session)
    post = user.posts[0]
    api.soft_delete(session, post)
    api.soft_delete(session, user)
    with pytest.raises(ParentDeletedError):
        api.restore(session, post)
    api.restore(session, user)
    api.restore(session, post)
    assert live(session, Comment) == 2


def test_restore_is_refused_if_anything_below_has_another_deleted_parent(session, api):
    user, category = store(session, User(id=1), Category(id=1))
    store(session, Post(id=1, author_id=1, category_id=1), Post(id=2, author_id=1))
    api.soft_delete(session, user)
    api.soft_delete(session, category)
    with pytest.raises(ParentDeletedError) as caught:
        api.restore(session, user)
    assert caught.value.table == "categories"
    session.commit()
    assert (live(session, User), live(session, Post)) == (0, 0)
    api.restore(session, category)
    api.restore(session, user)
    assert (live(session, User), live(session, Post)) == (1, 2)


def test_restore_with_a_deleted_set_null_parent(session, api):
    editor, post = store(session, User(id=2), Post(id=1, author=User(id=1), editor_id=2))
    api.soft_delete(session, editor)
    api.soft_delete(session, post)
    api.restore(session, post)
    assert post.editor is None
    api.restore(session, editor)
    session.expire(post)
    assert post.editor is editor


def test_restore_over_a_live_row_with_the_same_unique_value(session, api):
    user = store(session, User(id=1, email="a@example.org"))
    api.soft_delete(session, user)
    store(session, User(id=2, email="a@example.org"))
    with pytest.raises(IntegrityError):
        api.restore(session, user)
    session.expire_all()
    assert user.is_deleted


def test_restore_in_a_tree(session, api):
    root = store(session, Node(id=1, children=[Node(id=2, children=[Node(id=3)]), Node(id=4)]))
    middle = root.children[0]
    api.soft_delete(session, middle.children[0])
    api.soft_delete(session, root)
    with pytest.raises(ParentDeletedError):
        api.restore(session, middle)
    api.restore(session, root)
    assert [mark is None for mark in marks(session, Node)] == [True, True, False, True]


def test_restore_across_joined_inheritance(session, api):
    office = store(session, Office(id=1))
    manager = store(session, Manager(id=1, office_id=1, reports=[Report()]))
    api.soft_delete(session, office)
    with pytest.raises(ParentDeletedError):
        api.restore(session, manager)
    api.restore(session, office)
    assert (live(session, Manager), live(session, Report)) == (1, 1)


def test_restore_below_a_deleted_subclass_is_refused(session, api):
    manager = store(session, Manager(id=1, reports=[report := Report()]))
    api.soft_delete(session, manager)
    with pytest.raises(ParentDeletedError):
        api.restore(session, report)


def test_restore_by_composite_key(session, api):
    account = store(session, Account(region="eu", number=1, entries=[Entry(line=1), Entry(line=2)]))
    entry = account.entries[0]
    api.soft_delete(session, account)
    with pytest.raises(ParentDeletedError):
        api.restore(session, entry)
    api.restore(session, account)
    assert live(session, Entry) == 2


# --- Uniqueness


def test_unique_value_of_a_deleted_row_is_free(session, api):
    for _ in range(3):
        user = store(session, User(email="a@example.org"))
        api.soft_delete(session, user)
    store(session, User(email="a@example.org"))
    session.add(User(email="a@example.org"))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


# --- Creating below


def test_require_live(session, api):
    user = store(session, User(id=1))
    api.require_live(session, User, 1)
    api.soft_delete(session, user)
    with pytest.raises(NotLiveError) as caught:
        api.require_live(session, User, 1)
    assert caught.value.table == "users"


def test_require_live_of_a_row_that_never_was(session, api):
    with pytest.raises(NotLiveError):
        api.require_live(session, User, 9)


def test_require_live_by_composite_key_and_subclass(session, api):
    store(session, Account(region="eu", number=1), Manager(id=1), Dog(id=1))
    api.require_live(session, Account, ("eu", 1))
    api.require_live(session, Manager, 1)
    api.require_live(session, Dog, 1)
    with pytest.raises(NotLiveError):
        api.require_live(session, Account, ("eu", 2))


def test_require_parents(session, api):
    editor, _ = store(session, User(id=2), User(id=1))
    values = {"title": "", "author_id": 1, "editor_id": 2, "category_id": None}
    api.require_parents(session, Post, values)
    api.require_parents(session, Post, {})
    api.soft_delete(session, editor)
    with pytest.raises(NotLiveError) as caught:
        api.require_parents(session, Post, values)
    assert (caught.value.table, caught.value.columns) == ("users", ("editor_id",))
    api.require_parents(session, Post, {"author_id": 1})


def test_require_parents_by_composite_key_and_subclass(session, api):
    manager, account = store(session, Manager(id=1), Account(region="eu", number=1))
    api.require_parents(session, Entry, {"region": "eu", "number": 1, "line": 2})
    api.require_parents(session, Report, {"manager_id": 1})
    api.soft_delete(session, manager)
    api.soft_delete(session, account)
    with pytest.raises(NotLiveError):
        api.require_parents(session, Entry, {"region": "eu", "number": 1, "line": 2})
    with pytest.raises(NotLiveError):
        api.require_parents(session, Report, {"manager_id": 1})


# --- For real


def test_hard_delete_removes_the_row_and_what_is_below(session, api):
    user = blog(session)
    api.hard_delete(session, user)
    assert session.get(User, 1, execution_options=EVERY_ROW) is None
    assert [marks(session, cls) for cls in (User, Profile, Post, Comment)] == [[], [], [], []]


def test_hard_delete_of_a_deleted_row(session, api):
    user = blog(session)
    api.soft_delete(session, user)
    api.hard_delete(session, user)
    assert marks(session, User) == []


def test_hard_delete_of_a_row_that_another_restricts(session, api):
    user = blog(session)
    store(session, Hold(user_id=1))
    with pytest.raises(IntegrityError):
        api.hard_delete(session, user)


def test_hard_delete_of_a_subclass(session, api):
    manager = store(session, Manager(id=1))
    api.hard_delete(session, manager)
    assert marks(session, Employee) == []
    assert session.scalar(select(func.count()).select_from(Manager.__table__)) == 0


def test_hard_delete_by_composite_key(session, api):
    account = store(session, Account(region="eu", number=1, entries=[Entry(line=1)]))
    api.hard_delete(session, account)
    assert marks(session, Entry) == []


def test_purge_removes_only_what_is_old_enough(session, api):
    users = store(session, *(User(id=key) for key in range(1, 5)))
    for user in users[:3]:
        api.soft_delete(session, user)
    assert api.purge(session, User, users[2].deleted_at) == 2
    assert api.purge(session, User, dt.timedelta(days=1)) == 0
    assert len(marks(session, User)) == 2
    assert api.purge(session, User, EVER) == 1
    assert marks(session, User) == [None]


def test_purge_in_batches_the_oldest_first(session, api):
    users = store(session, *(User(id=key) for key in range(1, 6)))
    for user in reversed(users):
        api.soft_delete(session, user)
    assert api.purge(session, User, EVER, batch=2) == 2
    left = select(User.id).order_by(User.id).execution_options(**EVERY_ROW)
    assert session.scalars(left).all() == [1, 2, 3]
    assert [api.purge(session, User, EVER, batch=2) for _ in range(3)] == [2, 1, 0]


def test_purge_goes_from_below(session, api):
    user = blog(session)
    api.soft_delete(session, user)
    assert api.purge(session, User, EVER) == 0
    assert api.purge(session, Post, EVER) == 1
    assert api.purge(session, Comment, EVER) == 2
    assert api.purge(session, Post, EVER) == 1
    assert api.purge(session, Profile, EVER) == 1
    assert api.purge(session, User, EVER) == 1


def test_purge_passes_by_what_is_still_referred_to(session, api):
    held, free = store(session, User(id=1), User(id=2))
    api.soft_delete(session, held)
    store(session, Hold(user_id=1))
    api.soft_delete(session, free)
    assert api.purge(session, User, EVER, batch=1) == 1
    assert marks(session, User) == [held.deleted_at]


def test_purge_never_takes_live_rows_along(session, api):
    blog(session)
    session.execute(
        sa.update(User.__table__).values(deleted_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    )
    assert api.purge(session, User, EVER) == 0
    assert live(session, Post) == 2


def test_purge_clears_set_null_references(session, api):
    editor, post = store(session, User(id=2), Post(id=1, author=User(id=1), editor_id=2))
    api.soft_delete(session, editor)
    assert api.purge(session, User, EVER) == 1
    session.expire(post)
    assert (post.is_deleted, post.editor_id) == (False, None)


def test_purge_takes_rows_without_the_mixin_along(session, api):
    note = store(session, Note(user=User(id=1)))
    api.soft_delete(session, note.user)
    session.expunge(note)
    assert api.purge(session, User, EVER) == 1
    assert live(session, Note) == 0


def test_purge_of_a_tree_goes_leaf_by_leaf(session, api):
    root = store(session, Node(id=1, children=[Node(id=2, children=[Node(id=3)]), Node(id=4)]))
    own = store(session, Node(id=9))
    own.parent_id = 9
    api.soft_delete(session, root)
    api.soft_delete(session, own)
    assert [api.purge(session, Node, EVER) for _ in range(4)] == [3, 1, 1, 0]


def test_purge_of_a_hierarchy(session, api):
    store(session, manager := Manager(id=1, reports=[Report()]), employee := Employee(id=2))
    api.soft_delete(session, manager)
    api.soft_delete(session, employee)
    assert api.purge(session, Employee, EVER) == 1
    assert api.purge(session, Report, EVER) == 1
    assert api.purge(session, Manager, EVER) == 1
    assert session.scalar(select(func.count()).select_from(Manager.__table__)) == 0


def test_purge_of_a_subclass_leaves_its_siblings(session, api):
    employee, manager, dog = store(session, Employee(id=1), Manager(id=2), Dog(id=1))
    for each in (employee, manager, dog):
        api.soft_delete(session, each)
    assert api.purge(session, Manager, EVER) == 1
    assert api.purge(session, Dog, EVER) == 1
    assert len(marks(session, Employee)) == 1


def test_purge_by_composite_key(session, api):
    account = store(session, Account(region="eu", number=1, entries=[Entry(line=1), Entry(line=2)]))
    api.soft_delete(session, account)
    assert [api.purge(session, cls, EVER) for cls in (Account, Entry, Account)] == [0, 2, 1]


def test_purged_objects_leave_the_session(session, api):
    user = store(session, User(id=1))
    api.soft_delete(session, user)
    api.purge(session, User, EVER)
    assert user not in session
