"""The tags table."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class Tag(Base):
    """A row of the tags table."""

    __tablename__ = "tags"
    __table_args__ = (
        sa.Index("uq_tags_name", "name", unique=True),
        # Your own indexes go below this line.
    )

    name: Mapped[str] = mapped_column(sa.String(50))
    # Your own columns go below this line.

    # Your own relationships go below this line.
