"""Response schemas with related rows."""
