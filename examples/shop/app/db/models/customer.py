"""The customers table."""

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base
from app.db.soft_delete import DELETED, LIVE, SoftDeleteMixin

if TYPE_CHECKING:
    from app.db.models.order import Order


class Customer(SoftDeleteMixin, Base):
    """A row of the customers table."""

    __tablename__ = "customers"
    __table_args__ = (
        sa.Index("uq_customers_email_live", "email", unique=True, postgresql_where=LIVE),
        sa.Index("ix_customers_id_live", "id", postgresql_where=LIVE),
        sa.Index("ix_customers_deleted_at", "deleted_at", postgresql_where=DELETED),
        # Your own indexes go below this line.
    )

    name: Mapped[str] = mapped_column(sa.String(120))
    email: Mapped[str] = mapped_column(sa.String(320))
    # Your own columns go below this line.

    orders: Mapped[list["Order"]] = relationship(
        foreign_keys="Order.customer_id",
        back_populates="customer",
        passive_deletes="all",
        lazy="raise",
    )
    # Your own relationships go below this line.
