"""The order_lines table."""

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base
from app.db.soft_delete import DELETED, LIVE, SoftDeleteMixin

if TYPE_CHECKING:
    from app.db.models.order import Order
    from app.db.models.product import Product


class OrderLine(SoftDeleteMixin, Base):
    """A row of the order_lines table."""

    __tablename__ = "order_lines"
    __table_args__ = (
        sa.Index(
            "uq_order_lines_order_id_product_id_live",
            "order_id",
            "product_id",
            unique=True,
            postgresql_where=LIVE,
        ),
        sa.Index("ix_order_lines_order_id_live", "order_id", "id", postgresql_where=LIVE),
        sa.Index("ix_order_lines_order_id", "order_id"),
        sa.Index("ix_order_lines_product_id_live", "product_id", "id", postgresql_where=LIVE),
        sa.Index("ix_order_lines_product_id", "product_id"),
        sa.Index("ix_order_lines_id_live", "id", postgresql_where=LIVE),
        sa.Index("ix_order_lines_deleted_at", "deleted_at", postgresql_where=DELETED),
        # Your own indexes go below this line.
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id", ondelete="RESTRICT"))
    quantity: Mapped[int]
    # Your own columns go below this line.

    order: Mapped["Order"] = relationship(
        foreign_keys=[order_id],
        back_populates="lines",
        lazy="raise",
    )
    product: Mapped["Product"] = relationship(
        foreign_keys=[product_id],
        lazy="raise",
    )
    # Your own relationships go below this line.
