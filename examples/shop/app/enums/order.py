"""The choices in the orders table."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """The values of `status`."""

    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
