"""All routers of the API."""

from app.routers import (
    customers,
    health,
    order_lines,
    orders,
    products,
)

# isort: split
# Import your own routers below this line.

ROUTERS = [
    health.router,
    customers.router,
    products.router,
    orders.router,
    order_lines.router,
    # Add your own routers below this line.
]
