"""Import every model, so that `Base.metadata` is complete."""

from app.db.base import Base
from app.db.models.customer import Customer
from app.db.models.order import Order
from app.db.models.order_line import OrderLine
from app.db.models.product import Product

# isort: split
# Your own models go below this line.

__all__ = [
    "Base",
    "Customer",
    "Order",
    "OrderLine",
    "Product",
    # Your own models go below this line.
]
