"""All routers of the API."""

from app.routers import (
    health,
    note_tags,
    notes,
    tags,
)

# isort: split
# Import your own routers below this line.

ROUTERS = [
    health.router,
    notes.router,
    tags.router,
    note_tags.router,
    # Add your own routers below this line.
]
