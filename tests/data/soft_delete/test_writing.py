"""Delete, restore, insert, purge."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from app.db import soft_delete
from app.db.soft_delete import (
    NotLiveError,
    ParentDeletedError,
    StillReferencedError,
    blocking_references,
    cascade,
    hard_delete,
    insert,
    purge,
    require_parents,
)
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from .models import (
    Category,
    Color,
    Comment,
    Course,
    Dog,
    Enrolment,
    Hold,
    Node,
    Note,
    Player,
    Post,
    Profile,
    Sample,
    Student,
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


def deletion_times(session, cls):
    """Return `deleted_at` of all rows of a class, ordered by id."""
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


def test_delete_sets_deleted_at(session, delete):
    user = store(session, User(id=1))
    before = dt.datetime.now(dt.UTC)
    delete(session, user)
    assert user.is_deleted
    assert before <= user.deleted_at <= dt.datetime.now(dt.UTC)
    assert user.deleted_at.utcoffset() == dt.timedelta(0)
    assert deletion_times(session, User) == [user.deleted_at]
    assert session.get(User, 1) is None


def test_delete_cascades_to_every_level(session, delete):
    user = blog(session)
    delete(session, user)
    for cls in (User, Profile, Post, Comment):
        assert set(deletion_times(session, cls)) == {user.deleted_at}, cls


def test_delete_leaves_other_rows_alone(session, delete):
    first, second = blog(session, 1), blog(session, 2)
    delete(session, first)
    assert not second.is_deleted
    assert [live(session, cls) for cls in (User, Profile, Post, Comment)] == [1, 1, 2, 2]


def test_delete_flushes_first(session, delete):
    user = store(session, User(id=1))
    session.add(Post(id=1, author_id=1))
    delete(session, user)
    assert live(session, Post) == 0


def test_delete_updates_objects_in_the_session(session, delete):
    user = blog(session)
    post, comment = user.posts[0], user.posts[0].comments[0]
    delete(session, user)
    assert "deleted_at" not in sa.inspect(post).expired_attributes
    assert (post.deleted_at, comment.deleted_at) == (user.deleted_at, user.deleted_at)


def test_delete_and_restore_keep_updated_at(session, delete):
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
    assert deletion_times(session, User) == [first]


def test_delete_keeps_older_timestamps_of_child_rows(session, delete):
    user = blog(session)
    post = user.posts[0]
    delete(session, post)
    delete(session, user)
    assert post.deleted_at < user.deleted_at
    assert deletion_times(session, Post) == [post.deleted_at, user.deleted_at]


def test_delete_takes_one_statement_without_references(session, statements):
    store(session, Comment(id=1, post=Post(author=User())))
    statements.clear()
    assert soft_delete.delete(session, Comment, 1)
    session.flush()
    assert [statement.partition(" ")[0] for statement in statements] == ["UPDATE"]


def test_delete_of_a_deleted_or_missing_row_finds_none(session, delete):
    user = blog(session)
    delete(session, user)
    assert not soft_delete.delete(session, User, 1)
    assert not soft_delete.delete(session, User, 9)
    assert len(set(deletion_times(session, Post))) == 1


def test_delete_on_a_condition(session):
    blog(session)
    assert not soft_delete.delete(session, User, 1, User.name == "bob")
    assert live(session, User) == 1
    assert soft_delete.delete(session, User, 1, User.name.in_(["", "bob"]))
    assert live(session, Post) == 0


def test_rollback_undoes_a_delete(session, delete):
    user = blog(session)
    session.commit()
    delete(session, user)
    session.rollback()
    assert deletion_times(session, Post) == [None, None]
    assert not session.get(User, 1).is_deleted


def test_savepoint_undoes_a_delete(session, delete):
    user = blog(session)
    with session.begin_nested() as savepoint:
        delete(session, user)
        savepoint.rollback()
    assert not user.is_deleted
    assert deletion_times(session, Post) == [None, None]


def test_set_null_references_are_kept(session, delete):
    editor, post = store(session, User(id=2), Post(id=1, author=User(id=1), editor_id=2))
    delete(session, editor)
    session.expire(post)
    assert (post.is_deleted, post.editor_id, post.editor) == (False, 2, None)


def test_live_restricting_row_prevents_the_delete(session, delete):
    category, _ = store(session, Category(id=1), Post(author=User(), category_id=1))
    with pytest.raises(StillReferencedError) as caught:
        delete(session, category)
    assert (caught.value.table, caught.value.columns) == ("posts", ("category_id",))
    assert not category.is_deleted
    assert deletion_times(session, Category) == [None]


def test_refused_cascade_deletes_nothing(session, delete):
    user = blog(session)
    store(session, Hold(user_id=1))
    with pytest.raises(StillReferencedError):
        delete(session, user)
    session.commit()
    assert deletion_times(session, User) == [None]
    assert deletion_times(session, Post) == [None, None]


def test_deleted_restricting_row_does_not_prevent_the_delete(session, delete):
    category, post = store(session, Category(id=1), Post(author=User(), category_id=1))
    delete(session, post)
    delete(session, category)
    assert category.is_deleted


def test_restricting_row_deleted_by_the_cascade_does_not_prevent_it(session, delete):
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


def test_delete_through_an_association_class(session, delete):
    course = store(session, Course(id=1, enrolments=[Enrolment(student=Student(id=1), grade=2)]))
    store(session, Enrolment(course=Course(id=2), student_id=1))
    delete(session, course)
    student = session.get(Student, 1)
    session.expire(student)
    assert [enrolment.course_id for enrolment in student.enrolments] == [2]
    delete(session, student)
    assert live(session, Enrolment) == 0
    restore(session, student)
    assert [enrolment.course_id for enrolment in student.enrolments] == [2]
    restore(session, course)
    session.expire(student)
    assert [enrolment.grade for enrolment in student.enrolments] == [2, None]


def test_delete_in_a_tree(session, delete):
    root = store(session, Node(id=1, children=[Node(id=2, children=[Node(id=3)]), Node(id=4)]))
    delete(session, root.children[0])
    assert [time is None for time in deletion_times(session, Node)] == [True, False, False, True]
    delete(session, root)
    assert live(session, Node) == 0


def test_delete_in_a_cycle_ends(session, delete):
    first, second = store(session, Node(id=1), Node(id=2, parent_id=1))
    first.parent_id = 2
    delete(session, second)
    assert live(session, Node) == 0


def test_delete_of_single_table_inheritance(session, delete):
    dog = store(session, Dog(id=1))
    delete(session, dog)
    assert live(session, Dog) == 0


def test_delete_of_more_rows_than_fit_in_a_statement(session, delete):
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


def test_timestamps_of_deletes_are_strictly_increasing(session, delete):
    users = store(session, *(User() for _ in range(50)))
    for user in users:
        delete(session, user)
    stamps = [user.deleted_at for user in users]
    assert stamps == sorted(set(stamps))


def test_timestamps_increase_when_the_clock_stands_still_or_goes_back(session, monkeypatch):
    users = store(session, *(User() for _ in range(4)))
    session.delete(users[0])
    now = users[0].deleted_at
    times = iter([now, now, now - dt.timedelta(hours=1)])
    monkeypatch.setattr(cascade, "utcnow", lambda: next(times))
    for user in users[1:]:
        session.delete(user)
    stamps = [user.deleted_at for user in users]
    assert stamps == sorted(set(stamps))


# --- Statements that would delete physically are refused


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


def test_delete_in_a_cte_is_refused(session):
    store(session, User(id=1))
    deleted = sa.delete(User).returning(User.id).cte("deleted")
    for statement in (select(deleted.c.id), select(User).add_cte(deleted)):
        with pytest.raises(InvalidRequestError, match="users"):
            session.execute(statement)
    assert live(session, User) == 1


def test_delete_by_from_statement_is_refused(session):
    store(session, User(id=1))
    with pytest.raises(InvalidRequestError, match="users"):
        session.execute(select(User).from_statement(sa.delete(User).returning(User)))
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


def test_restore_restores_child_rows(session):
    user = blog(session)
    session.delete(user)
    restore(session, user)
    assert not user.is_deleted
    for cls in (User, Profile, Post, Comment):
        assert set(deletion_times(session, cls)) == {None}, cls


def test_restore_returns_the_row(session):
    user = blog(session)
    session.delete(user)
    session.expunge_all()
    restored = soft_delete.restore(session, User, 1)
    assert (restored.id, restored.is_deleted) == (1, False)
    assert len(restored.posts) == 2
    session.delete(restored.posts[0])
    session.expire(restored, ["posts"])
    assert len(restored.posts) == 1


def test_restore_of_a_missing_row_finds_none(session):
    assert soft_delete.restore(session, User, 9) is None


def test_restore_on_a_condition(session):
    user = blog(session)
    session.delete(user)
    assert soft_delete.restore(session, User, 1, User.name == "bob") is None
    assert live(session, User) == 0
    assert soft_delete.restore(session, User, 1, User.name == "") is user


def test_restore_leaves_rows_deleted_separately(session):
    user = blog(session)
    session.delete(user.posts[0])
    session.delete(user)
    restore(session, user)
    assert [time is None for time in deletion_times(session, Post)] == [False, True]
    assert live(session, Comment) == 0


def test_restore_leaves_rows_deleted_with_another_row(session):
    first, second = blog(session, 1), blog(session, 2)
    session.delete(first)
    session.delete(second)
    restore(session, first)
    assert live(session, User) == 1
    assert live(session, Post) == 2
    assert second.is_deleted


def test_restore_leaves_another_deletion_at_the_same_time(session):
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


def test_restore_reads_the_row(session):
    """The object is older than the row."""
    user = blog(session)
    session.delete(user)
    session.execute(sa.update(User.__table__).values(deleted_at=None))
    session.execute(sa.update(Post.__table__).values(deleted_at=None))
    restore(session, user)
    assert not user.is_deleted
    assert live(session, Comment) == 0


def test_restore_updates_objects_in_the_session(session):
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


def test_restore_is_refused_if_a_child_row_has_another_deleted_parent(session):
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
    assert [time is None for time in deletion_times(session, Node)] == [True, True, False, True]


# --- Uniqueness


def test_unique_value_of_a_deleted_row_can_be_reused(session):
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


def test_inserted_object_loads_live_rows(session):
    store(session, User(id=1))
    post = insert(session, Post, {"author_id": 1})
    kept, deleted = store(session, Comment(post_id=post.id), Comment(post_id=post.id))
    session.delete(deleted)
    assert post.comments == [kept]
    session.refresh(post, ["comments"])
    assert post.comments == [kept]


def test_insert_without_references(session):
    root = insert(session, Node, {"parent_id": None})
    user = insert(session, User, {"name": "ann"})
    assert (root.parent_id, user.name) == (None, "ann")
    assert insert(session, Node, {}).id > root.id
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
    ("values", "columns"),
    [
        ({"author_id": 2}, ["author_id"]),
        ({"author_id": 9}, ["author_id"]),
        ({"author_id": 1, "editor_id": 2}, ["editor_id"]),
        ({"author_id": 1, "category_id": 9}, ["category_id"]),
        ({"author_id": 9, "editor_id": 2}, ["author_id", "editor_id"]),
    ],
)
def test_insert_that_references_a_deleted_or_missing_row_is_refused(session, values, columns):
    _, deleted = store(session, User(id=1), User(id=2))
    session.delete(deleted)
    with pytest.raises(NotLiveError) as caught:
        insert(session, Post, values)
    assert caught.value.table == "posts"
    assert sorted(caught.value.columns) == columns
    assert deletion_times(session, Post) == []


def test_insert_of_a_duplicate_key_is_an_integrity_error(session):
    store(session, Node(id=1))
    insert(session, Sample, {"id": 1, "node_id": 1})
    with pytest.raises(IntegrityError):
        insert(session, Sample, {"id": 1, "node_id": 1})


def test_insert_flushes_first(session):
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
    assert (caught.value.table, caught.value.columns) == ("posts", ("editor_id",))
    require_parents(session, Post, {"author_id": 1})


# --- Deleting permanently


def test_hard_delete_cascades(session):
    blog(session)
    hard_delete(session, User, 1)
    assert session.get(User, 1, execution_options=EVERY_ROW) is None
    assert [deletion_times(session, cls) for cls in (User, Profile, Post, Comment)] == [
        [],
        [],
        [],
        [],
    ]


def test_hard_delete_of_a_missing_row_finds_none(session):
    assert not hard_delete(session, User, 1)


def test_a_statement_that_hard_deleted_is_refused_without_the_option(session):
    blog(session)
    statement = sa.delete(Post).where(Post.id == 1)
    session.execute(statement, execution_options={"hard_delete": True})
    with pytest.raises(InvalidRequestError, match="permanently delete"):
        session.execute(statement)


def test_hard_delete_of_a_deleted_row(session):
    user = blog(session)
    session.delete(user)
    hard_delete(session, User, 1)
    assert deletion_times(session, User) == []


def test_hard_delete_of_a_referenced_row_is_an_integrity_error(session):
    blog(session)
    store(session, Hold(user_id=1))
    with pytest.raises(IntegrityError):
        hard_delete(session, User, 1)


def test_purge_deletes_only_old_rows(session):
    users = store(session, *(User(id=key) for key in range(1, 5)))
    for user in users[:3]:
        session.delete(user)
    assert purge(session, User, users[2].deleted_at) == 2
    assert purge(session, User, dt.timedelta(days=1)) == 0
    assert len(deletion_times(session, User)) == 2
    assert purge(session, User, EVER) == 1
    assert deletion_times(session, User) == [None]


def test_purge_in_batches_oldest_first(session):
    users = store(session, *(User(id=key) for key in range(1, 6)))
    for user in reversed(users):
        session.delete(user)
    assert purge(session, User, EVER, batch=2) == 2
    left = select(User.id).order_by(User.id).execution_options(**EVERY_ROW)
    assert session.scalars(left).all() == [1, 2, 3]
    assert [purge(session, User, EVER, batch=2) for _ in range(3)] == [2, 1, 0]


def test_purge_starts_with_child_rows(session):
    user = blog(session)
    session.delete(user)
    assert purge(session, User, EVER) == 0
    assert purge(session, Post, EVER) == 1
    assert purge(session, Comment, EVER) == 2
    assert purge(session, Post, EVER) == 1
    assert purge(session, Profile, EVER) == 1
    assert purge(session, User, EVER) == 1


def test_purge_keeps_referenced_rows(session):
    held, free = store(session, User(id=1), User(id=2))
    session.delete(held)
    store(session, Hold(user_id=1))
    session.delete(free)
    assert purge(session, User, EVER, batch=1) == 1
    assert deletion_times(session, User) == [held.deleted_at]


def test_blocking_references_name_tables_and_ids(session):
    held, free = store(session, User(id=1), User(id=2, posts=[Post(id=7)]))
    session.delete(held)
    session.delete(free)
    store(session, Hold(id=3, user_id=1), Hold(id=4, user_id=1))
    assert blocking_references(session, User, dt.datetime.now(dt.UTC)) == [
        "users 2 is referenced by posts 7",
        "users 1 is referenced by holds 3",
        "users 1 is referenced by holds 4",
    ]
    assert purge(session, Post, EVER) == 1
    assert len(blocking_references(session, User, dt.datetime.now(dt.UTC), limit=1)) == 1


def test_purge_keeps_parents_of_live_rows(session):
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


def test_purge_cascades_to_rows_without_the_mixin(session):
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
