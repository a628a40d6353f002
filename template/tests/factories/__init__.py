"""Sample rows: two of each kind, different in every field."""
