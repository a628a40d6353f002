"""Row locks: the purge skips locked rows."""

import datetime as dt

import pytest
import sqlalchemy as sa
from app.db.soft_delete import purge, restore
from sqlalchemy import func, select

from .models import Hold, User

EVERY_ROW = {"include_deleted": True}
EVER = dt.timedelta(0)

pytestmark = pytest.mark.usefixtures("deleted")


@pytest.fixture
def deleted(database, real_session):
    """Six deleted users, committed."""

    def store():
        users = [User(id=key) for key in range(1, 7)]
        real_session.add_all(users)
        for user in users:
            real_session.delete(user)
        real_session.commit()
        real_session.expunge_all()

    database.run(store)


def left(session):
    statement = select(User.id).order_by(User.id).execution_options(**EVERY_ROW)
    return session.scalars(statement).all()


def test_purge_skips_a_row_that_is_being_restored(real_session, someone_else):
    restore(real_session, User, 1)
    other = someone_else(lambda session: purge(session, User, EVER))
    assert other.result() == 5
    real_session.commit()
    assert left(real_session) == [1]


def test_purge_skips_a_row_that_is_being_referenced(real_session, someone_else):
    real_session.add(Hold(user_id=1))
    real_session.flush()
    other = someone_else(lambda session: purge(session, User, EVER))
    assert other.result() == 5
    real_session.commit()
    assert left(real_session) == [1]


def test_concurrent_purges_share_the_rows(real_session, someone_else):
    assert purge(real_session, User, EVER, batch=2) == 2
    other = someone_else(lambda session: purge(session, User, EVER, batch=3))
    assert other.result() == 3
    real_session.commit()
    assert left(real_session) == [6]


def test_purge_does_not_block_readers_or_writers(real_session, someone_else):
    real_session.add(User(id=9))
    real_session.commit()
    assert purge(real_session, User, EVER) == 6

    def work(session):
        session.execute(sa.update(User).values(name="new"))
        session.add(User(id=10))
        session.flush()
        return session.scalar(select(func.count()).select_from(User))

    assert someone_else(work).result() == 2
    real_session.commit()
