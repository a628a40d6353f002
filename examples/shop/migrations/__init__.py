"""The revisions of the database, and what writes them."""
