"""One session per request. Writes are one transaction, committed before the response is sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import event, orm
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.db.engine import DatabaseUnavailableError, OutcomeUnknownError
from app.db.soft_delete import SoftDeleteSession

_CUT_OFF = "the request was cut off while it committed"


class ReadOnlyError(RuntimeError):
    """A write on a session for reading: use SessionDep in this route."""


class ReadSession(SoftDeleteSession):
    """A session that refuses to write.

    It cannot detect statements on `session.connection()`, or functions and CTEs that write.
    """


@event.listens_for(ReadSession, "before_flush")
def _refuse_flush(*_args: Any) -> None:
    msg = "this session only reads: use SessionDep"
    raise ReadOnlyError(msg)


@event.listens_for(ReadSession, "do_orm_execute")
def _refuse_write(state: orm.ORMExecuteState) -> None:
    if not state.is_select:
        msg = "this session only runs SELECT statements: use SessionDep"
        raise ReadOnlyError(msg)


def build_session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Create the session factory. Objects stay usable after commit, sessions not after `close()`."""
    return async_sessionmaker(
        engine,
        sync_session_class=SoftDeleteSession,
        expire_on_commit=False,
        close_resets_only=False,
    )


def build_read_session_factory(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Create the factory of sessions that only read, on an engine in autocommit mode."""
    return async_sessionmaker(
        engine,
        sync_session_class=ReadSession,
        expire_on_commit=False,
        close_resets_only=False,
    )


def open_session(request: Request, name: str) -> AsyncSession:
    """Open the request's only session, with the factory of this name in `app.state`."""
    # A second session would not see uncommitted rows and would use a second connection.
    if hasattr(request.state, "session"):
        msg = "a request has one session: use either SessionDep or ReadSessionDep"
        raise RuntimeError(msg)
    factory: async_sessionmaker[AsyncSession] = getattr(request.app.state, name)
    request.state.session = session = factory()
    return session


async def _commit(session: AsyncSession) -> None:
    # If a flush fails, nothing is stored; if COMMIT fails, that is unknown.
    if session.new or session.dirty or session.deleted:
        await session.flush()
    try:
        await session.commit()
        # A request cut off here has already been committed.
        await session.close()
    except (DatabaseUnavailableError, asyncio.CancelledError) as error:
        raise OutcomeUnknownError(str(error) or _CUT_OFF) from error


async def get_db(request: Request) -> AsyncIterator[AsyncSession]:
    """Provide the request's session; commit on success, roll back on error.

    The connection is acquired by the first statement.
    """
    session = open_session(request, "session_factory")
    try:
        yield session
        await _commit(session)
    except BaseException:
        await session.rollback()
        await session.close()
        raise


async def get_read_db(request: Request) -> AsyncIterator[AsyncSession]:
    """Provide a session that only reads.

    Without BEGIN and COMMIT, each statement sees the latest committed rows.
    """
    session = open_session(request, "read_session_factory")
    try:
        yield session
    finally:
        await session.close()


# `scope="function"` commits before the response is sent, so a failed commit is never a 201. Use
# these aliases only: the same dependency with another scope would open a second session.
SessionDep = Annotated[AsyncSession, Depends(get_db, scope="function")]
ReadSessionDep = Annotated[AsyncSession, Depends(get_read_db, scope="function")]
