"""Database revisions, and how autogenerate writes them."""
