"""Access to deleted rows."""

from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import ReadSessionDep
from app.schemas.pages import IncludeDeleted


async def get_visible_db(
    session: ReadSessionDep,
    include_deleted: IncludeDeleted = False,
) -> AsyncSession:
    """Return the session for reading, with deleted rows if the request asks for them.

    Currently anyone may ask: add your permission check here.
    """
    if include_deleted:
        options = session.sync_session.execution_options.union({"include_deleted": True})
        session.sync_session.execution_options = options
    return session


VisibleSessionDep = Annotated[AsyncSession, Depends(get_visible_db)]
