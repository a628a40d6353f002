"""One session per request. Writes are one transaction, committed before the response is sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine, event, orm
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from app.db.engine import DatabaseUnavailableError, OutcomeUnknownError

_CUT_OFF = "the request was cut off while it committed"


class ReadOnlyError(RuntimeError):
    """A write on a session for reading: use SessionDep in this route."""


class ReadSession(orm.Session):
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


def build_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Create the session factory. Objects stay usable after commit, sessions not after `close()`."""
    return sessionmaker(
        engine,
        expire_on_commit=False,
        close_resets_only=False,
    )


def build_read_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Create the factory of sessions that only read, on an engine in autocommit mode."""
    return sessionmaker(
        engine,
        class_=ReadSession,
        expire_on_commit=False,
        close_resets_only=False,
    )


def open_session(request: Request, name: str) -> Session:
    """Open the request's only session, with the factory of this name in `app.state`."""
    # A second session would not see uncommitted rows and would use a second connection.
    if hasattr(request.state, "session"):
        msg = "a request has one session: use either SessionDep or ReadSessionDep"
        raise RuntimeError(msg)
    factory: sessionmaker[Session] = getattr(request.app.state, name)
    request.state.session = session = factory()
    return session


def _commit(session: Session) -> None:
    is_flushed = False
    try:
        # If a flush fails, nothing is stored; if COMMIT fails, that is unknown.
        session.flush()
        is_flushed = True
        session.commit()
    except BaseException as error:
        session.rollback()
        if is_flushed and isinstance(error, DatabaseUnavailableError):
            raise OutcomeUnknownError(str(error)) from error
        raise
    finally:
        session.close()


def _is_cut_off() -> bool:
    """Whether the request is cancelled; a thread may then still use its session."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def get_slot(request: Request) -> AsyncIterator[None]:
    """Limit requests with a session to the size of the pool.

    Otherwise requests holding a connection could wait for a thread while every thread waits for a
    connection: a deadlock. Raises TimeoutError after POOL_TIMEOUT, as the pool does.
    """
    slots: asyncio.Semaphore = request.app.state.session_slots
    try:
        async with asyncio.timeout(request.app.state.settings.pool_timeout):
            await slots.acquire()
    except TimeoutError:
        msg = "all connections are in use"
        raise PoolTimeoutError(msg) from None
    try:
        yield
    finally:
        slots.release()


SlotDep = Annotated[None, Depends(get_slot, scope="function")]


async def get_db(request: Request, _slot: SlotDep) -> AsyncIterator[Session]:
    """Provide the request's session; commit on success, roll back on error.

    The connection is acquired by the first statement. Only what may wait for the database runs in
    a thread.
    """
    session = open_session(request, "session_factory")
    try:
        yield session
    except BaseException:
        if not _is_cut_off():
            await run_in_threadpool(session.rollback)
            session.close()
        raise
    try:
        await run_in_threadpool(_commit, session)
    except asyncio.CancelledError as error:
        raise OutcomeUnknownError(_CUT_OFF) from error


async def get_read_db(request: Request, _slot: SlotDep) -> AsyncIterator[Session]:
    """Provide a session that only reads.

    Without BEGIN and COMMIT, each statement sees the latest committed rows.
    """
    session = open_session(request, "read_session_factory")
    try:
        yield session
    finally:
        # In autocommit mode there is nothing to wait for.
        if not _is_cut_off():
            session.close()


# `scope="function"` commits before the response is sent, so a failed commit is never a 201. Use
# these aliases only: the same dependency with another scope would open a second session.
SessionDep = Annotated[Session, Depends(get_db, scope="function")]
ReadSessionDep = Annotated[Session, Depends(get_read_db, scope="function")]
