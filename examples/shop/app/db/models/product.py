"""The products table."""

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.soft_delete import DELETED, LIVE, SoftDeleteMixin


class Product(SoftDeleteMixin, Base):
    """A row of the products table."""

    __tablename__ = "products"
    __table_args__ = (
        sa.Index("uq_products_sku_live", "sku", unique=True, postgresql_where=LIVE),
        sa.Index("ix_products_id_live", "id", postgresql_where=LIVE),
        sa.Index("ix_products_deleted_at", "deleted_at", postgresql_where=DELETED),
        # Your own indexes go below this line.
    )

    sku: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(200))
    price: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))
    is_available: Mapped[bool] = mapped_column(server_default=sa.true())
    # Your own columns go below this line.

    # Your own relationships go below this line.
