"""The order line with its related rows."""

from app.schemas.order import OrderRead
from app.schemas.order_line import OrderLineRead
from app.schemas.product import ProductRead


class OrderLineDetail(OrderLineRead):
    """The order line with its related rows."""

    order: OrderRead
    product: ProductRead
