"""Two transactions at once: whoever comes second waits, and then sees what the first one did."""

import datetime as dt

import pytest
from app.db import soft_delete
from app.db.soft_delete import NotLiveError, ParentDeletedError, StillReferencedError, purge
from sqlalchemy import func, select, update

from .models import Category, Comment, Post, User

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


def test_row_created_just_before_its_parent_is_deleted_goes_along(real_session, someone_else):
    insert_post(real_session)
    other = someone_else(lambda session: session.delete(get(session, User)))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is None
    assert count_live(real_session, Post) == 0


def test_row_is_not_created_below_a_parent_that_is_being_deleted(real_session, someone_else):
    real_session.delete(get(real_session, User))
    other = someone_else(insert_post)
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert isinstance(other.result(), NotLiveError)


def test_row_is_created_below_a_parent_whose_deletion_is_rolled_back(
    real_session, someone_else
):
    real_session.delete(get(real_session, User))
    other = someone_else(insert_post)
    other.wait_until_blocked(real_session)
    real_session.rollback()
    assert isinstance(other.result(), int)


def test_row_created_two_levels_down_goes_along(real_session, someone_else):
    soft_delete.insert(real_session, Comment, {"id": 2, "post_id": 1})
    other = someone_else(lambda session: session.delete(get(session, User)))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is None
    assert count_live(real_session, Comment) == 0


def test_row_that_restricts_created_just_before_refuses_the_delete(real_session, someone_else):
    real_session.add(Category(id=1))
    real_session.commit()
    insert_post(real_session, category_id=1)
    other = someone_else(lambda session: session.delete(get(session, Category)))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert isinstance(other.result(), StillReferencedError)
    assert count_live(real_session, Category) == 1


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


def test_row_restored_just_before_its_parent_is_deleted_goes_along(real_session, someone_else):
    real_session.delete(get(real_session, Post))
    real_session.commit()
    restore(real_session, Post)
    other = someone_else(lambda session: session.delete(get(session, User)))
    other.wait_until_blocked(real_session)
    real_session.commit()
    assert other.result() is None
    assert [count_live(real_session, cls) for cls in (User, Post, Comment)] == [0, 0, 0]


def test_row_is_not_restored_below_a_parent_that_is_being_deleted(real_session, someone_else):
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


def test_deletions_by_many_at_once(real_session, someone_else):
    """Several threads of one process: every deletion has a timestamp of its own."""
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
