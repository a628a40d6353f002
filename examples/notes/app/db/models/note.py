"""The notes table."""

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base

if TYPE_CHECKING:
    from app.db.models.note_tag import NoteTag


class Note(Base):
    """A row of the notes table."""

    __tablename__ = "notes"

    title: Mapped[str] = mapped_column(sa.String(200))
    body: Mapped[str | None]
    is_pinned: Mapped[bool] = mapped_column(server_default=sa.false())
    # Your own columns go below this line.

    tags: Mapped[list["NoteTag"]] = relationship(
        foreign_keys="NoteTag.note_id",
        back_populates="note",
        passive_deletes="all",
        lazy="raise",
    )
    # Your own relationships go below this line.
