"""Enums of orders."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """Status of orders."""

    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
