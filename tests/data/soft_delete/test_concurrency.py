"""Concurrent transactions: the second one waits, then sees the result of the first."""

import datetime as dt

import pytest
from app.db import soft_delete
from app.db.soft_delete import NotLiveError, ParentDeletedError, StillReferencedError, purge
from sqlalchemy import func, select, update

from .models import Category, Comment, Post, Review, User

EVERY_ROW = {"include_deleted": True}

pytestmark = pytest.mark.usefixtures("blog")


@pytest.fixture
def blog(database, real_session):
    """Commit a user, a post and a comment."""

    def store():
        session = real_session
        session.add(User(id=1, posts=[Post(id=1, comments=[Comment(id=1)])]))
        session.commit()
        session.expunge_all()

    database.run(store)


def count_live(session, cls):
    return session.scalar(select(func.count()).select_from(cls))


def get(session, cls, key=1):
    return session.get(cls, key, execution_options=EVERY_ROW)


def restore(session, cls, key=1):
    return soft_delete.restore(session, cls, key) is not None


def insert_post(session, **values):
    return soft_delete.insert(session, Post, {"id": 2, "author_id": 1, **values}).id


def set_title(session):
    statement = update(Post).where(Post.id == 1).values(title="new").returning(Post.id)
    return session.scalar(statement)


def test_row_inserted_just_before_its_parent_is_deleted_is_deleted_too(real_session, someone_else):
    insert_post(real_session)
    other = someone_else(lambda session: session.delete(get(session, User)))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is None
    assert count_live(real_session, Post) == 0


def test_row_being_deleted_cannot_be_referenced(real_session, someone_else):
    real_session.delete(get(real_session, User))
    other = someone_else(insert_post)
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert isinstance(other.result(), NotLiveError)


def test_insert_waits_for_a_deletion_without_a_deadlock(real_session, someone_else):
    # The deletion has locked the user, and is going to lock the post.
    real_session.get(User, 1, with_for_update=True)
    values = {"post_id": 1, "author_id": 1}
    other = someone_else(lambda session: soft_delete.insert(session, Review, values))
    other.wait_until_blocked(real_session)
    assert soft_delete.delete(real_session, User, 1)
    real_session.commit()
    assert isinstance(other.result(), NotLiveError)


def test_row_can_be_referenced_when_its_deletion_is_rolled_back(real_session, someone_else):
    real_session.delete(get(real_session, User))
    other = someone_else(insert_post)
    other.wait_until_blocked(real_session)
    real_session.rollback()
    assert isinstance(other.result(), int)


def test_row_inserted_two_levels_down_is_deleted_too(real_session, someone_else):
    soft_delete.insert(real_session, Comment, {"id": 2, "post_id": 1})
    other = someone_else(lambda session: session.delete(get(session, User)))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is None
    assert count_live(real_session, Comment) == 0


def test_restricting_row_inserted_just_before_prevents_the_delete(real_session, someone_else):
    real_session.add(Category(id=1))
    real_session.commit()
    insert_post(real_session, category_id=1)
    other = someone_else(lambda session: session.delete(get(session, Category)))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert isinstance(other.result(), StillReferencedError)
    assert count_live(real_session, Category) == 1


def test_second_of_two_deletes_finds_no_row(real_session, someone_else):
    assert soft_delete.delete(real_session, User, 1)
    other = someone_else(lambda session: soft_delete.delete(session, User, 1))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is False


def test_update_of_a_row_that_is_being_deleted_finds_no_row(real_session, someone_else):
    assert soft_delete.delete(real_session, Post, 1)
    other = someone_else(set_title)
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is None
    assert get(real_session, Post).title == ""


def test_delete_of_a_row_that_is_being_updated_waits(real_session, someone_else):
    assert set_title(real_session) == 1
    other = someone_else(lambda session: soft_delete.delete(session, Post, 1))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is True
    assert get(real_session, Post).title == "new"


def test_second_of_two_deletes_keeps_the_first_timestamp(real_session, someone_else):
    def delete(session):
        user = get(session, User)
        session.delete(user)
        return user.deleted_at

    user = get(real_session, User)
    real_session.delete(user)
    other = someone_else(delete)
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() == user.deleted_at


def test_row_restored_just_before_its_parent_is_deleted_is_deleted_too(real_session, someone_else):
    real_session.delete(get(real_session, Post))
    real_session.commit()
    restore(real_session, Post)
    other = someone_else(lambda session: session.delete(get(session, User)))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is None
    assert [count_live(real_session, cls) for cls in (User, Post, Comment)] == [0, 0, 0]


def test_row_is_not_restored_while_its_parent_is_being_deleted(real_session, someone_else):
    real_session.delete(get(real_session, Post))
    real_session.commit()
    real_session.delete(get(real_session, User))
    other = someone_else(lambda session: restore(session, Post))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert isinstance(other.result(), ParentDeletedError)
    assert count_live(real_session, Post) == 0


def test_second_of_two_restores_does_nothing(real_session, someone_else):
    real_session.delete(get(real_session, User))
    real_session.commit()
    restore(real_session, User)
    other = someone_else(lambda session: restore(session, User))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is True
    assert count_live(real_session, Comment) == 1


def test_row_that_is_being_purged_is_not_restored(real_session, someone_else):
    real_session.delete(get(real_session, Comment))
    real_session.commit()
    assert purge(real_session, Comment, dt.timedelta(0)) == 1
    other = someone_else(lambda session: restore(session, Comment))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is False


def test_concurrent_deletes_have_different_timestamps(real_session, someone_else):
    real_session.add_all(User(id=key) for key in range(101, 141))
    real_session.commit()

    def delete(first):
        def act(session):
            for key in range(first, first + 10):
                session.delete(get(session, User, key))

        return act

    actors = [someone_else(delete(first)) for first in (101, 111, 121, 131)]
    assert [actor.result() for actor in actors] == [None] * 4
    deleted = select(User.deleted_at).where(User.id > 100).execution_options(**EVERY_ROW)
    stamps = real_session.scalars(deleted).all()
    assert None not in stamps
    assert len(set(stamps)) == 40
