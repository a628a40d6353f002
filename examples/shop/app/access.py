"""Access to deleted rows: sessions that include them if the request asks for it."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import open_session
from app.schemas.pages import IncludeDeleted


async def get_visible_db(
    request: Request,
    include_deleted: IncludeDeleted = False,
) -> AsyncIterator[AsyncSession]:
    """Provide a session for reading, with deleted rows if the request asks for them.

    Currently anyone may ask: add your permission check here.
    """
    session = open_session(request, "read_session_factory")
    try:
        if include_deleted:
            options = session.sync_session.execution_options.union({"include_deleted": True})
            session.sync_session.execution_options = options
        yield session
    finally:
        await session.close()


VisibleSessionDep = Annotated[AsyncSession, Depends(get_visible_db, scope="function")]
