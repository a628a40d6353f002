"""The orders table."""

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base
from app.db.soft_delete import DELETED, LIVE, SoftDeleteMixin
from app.enums.order import OrderStatus

if TYPE_CHECKING:
    from app.db.models.customer import Customer
    from app.db.models.order_line import OrderLine


class Order(SoftDeleteMixin, Base):
    """A row of the orders table."""

    __tablename__ = "orders"
    __table_args__ = (
        sa.Index("uq_orders_number_live", "number", unique=True, postgresql_where=LIVE),
        sa.Index("ix_orders_customer_id_live", "customer_id", "id", postgresql_where=LIVE),
        sa.Index("ix_orders_customer_id", "customer_id"),
        sa.Index("ix_orders_placed_at_live", "placed_at", "id", postgresql_where=LIVE),
        sa.Index("ix_orders_id_live", "id", postgresql_where=LIVE),
        sa.Index("ix_orders_deleted_at", "deleted_at", postgresql_where=DELETED),
        # Your own indexes go below this line.
    )

    number: Mapped[str] = mapped_column(sa.String(20))
    status: Mapped[OrderStatus] = mapped_column(server_default="pending")
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id", ondelete="RESTRICT"))
    placed_at: Mapped[dt.datetime]
    # Your own columns go below this line.

    customer: Mapped["Customer"] = relationship(
        foreign_keys=[customer_id],
        back_populates="orders",
        lazy="raise",
    )
    lines: Mapped[list["OrderLine"]] = relationship(
        foreign_keys="OrderLine.order_id",
        back_populates="order",
        passive_deletes="all",
        lazy="raise",
    )
    # Your own relationships go below this line.
