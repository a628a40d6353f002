"""The note_tags table."""

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base

if TYPE_CHECKING:
    from app.db.models.note import Note
    from app.db.models.tag import Tag


class NoteTag(Base):
    """A row of the note_tags table."""

    __tablename__ = "note_tags"
    __table_args__ = (
        sa.Index("uq_note_tags_note_id_tag_id", "note_id", "tag_id", unique=True),
        sa.Index("ix_note_tags_note_id", "note_id", "id"),
        sa.Index("ix_note_tags_tag_id", "tag_id", "id"),
        # Your own indexes go below this line.
    )

    note_id: Mapped[int] = mapped_column(sa.ForeignKey("notes.id", ondelete="CASCADE"))
    tag_id: Mapped[int] = mapped_column(sa.ForeignKey("tags.id", ondelete="CASCADE"))
    # Your own columns go below this line.

    note: Mapped["Note"] = relationship(
        foreign_keys=[note_id],
        back_populates="tags",
        lazy="raise",
    )
    tag: Mapped["Tag"] = relationship(
        foreign_keys=[tag_id],
        lazy="raise",
    )
    # Your own relationships go below this line.
