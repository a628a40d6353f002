"""Initial tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None
# Values of the enum columns, for autogenerate to compare with the models.
choices: dict[str, list[str]] = {
    "orders.status": [
        "pending",
        "paid",
        "shipped",
        "cancelled",
    ],
}
# Guarded columns: the `alembic -x` option that allows dropping each, and the effect on its rows.
guards: dict[str, tuple[str, str]] = {
    "deleted_at": ("delete-hidden", "would become visible"),
}

NOW = sa.func.now()

LIVE = sa.text("deleted_at IS NULL")
DELETED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
    )
    op.create_index(
        "uq_customers_email_live",
        "customers",
        ["email"],
        unique=True,
        postgresql_where=LIVE,
    )
    op.create_index("ix_customers_id_live", "customers", ["id"], postgresql_where=LIVE)
    op.create_index(
        "ix_customers_deleted_at",
        "customers",
        ["deleted_at"],
        postgresql_where=DELETED,
    )
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("sku", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("price", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("is_available", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
    )
    op.create_index("uq_products_sku_live", "products", ["sku"], unique=True, postgresql_where=LIVE)
    op.create_index("ix_products_id_live", "products", ["id"], postgresql_where=LIVE)
    op.create_index("ix_products_deleted_at", "products", ["deleted_at"], postgresql_where=DELETED)
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="pending", nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name="fk_orders_customer_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
    )
    op.create_index(
        "uq_orders_number_live",
        "orders",
        ["number"],
        unique=True,
        postgresql_where=LIVE,
    )
    op.create_index(
        "ix_orders_customer_id_live",
        "orders",
        ["customer_id", "id"],
        postgresql_where=LIVE,
    )
    op.create_index("ix_orders_customer_id", "orders", ["customer_id"])
    op.create_index(
        "ix_orders_placed_at_live",
        "orders",
        ["placed_at", "id"],
        postgresql_where=LIVE,
    )
    op.create_index("ix_orders_id_live", "orders", ["id"], postgresql_where=LIVE)
    op.create_index("ix_orders_deleted_at", "orders", ["deleted_at"], postgresql_where=DELETED)
    op.create_table(
        "order_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name="fk_order_lines_order_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name="fk_order_lines_product_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_order_lines"),
    )
    op.create_index(
        "uq_order_lines_order_id_product_id_live",
        "order_lines",
        ["order_id", "product_id"],
        unique=True,
        postgresql_where=LIVE,
    )
    op.create_index(
        "ix_order_lines_order_id_live",
        "order_lines",
        ["order_id", "id"],
        postgresql_where=LIVE,
    )
    op.create_index("ix_order_lines_order_id", "order_lines", ["order_id"])
    op.create_index(
        "ix_order_lines_product_id_live",
        "order_lines",
        ["product_id", "id"],
        postgresql_where=LIVE,
    )
    op.create_index("ix_order_lines_product_id", "order_lines", ["product_id"])
    op.create_index("ix_order_lines_id_live", "order_lines", ["id"], postgresql_where=LIVE)
    op.create_index(
        "ix_order_lines_deleted_at",
        "order_lines",
        ["deleted_at"],
        postgresql_where=DELETED,
    )


def downgrade() -> None:
    """Drop all tables and their data."""
    op.drop_table("order_lines")
    op.drop_table("orders")
    op.drop_table("products")
    op.drop_table("customers")
