"""Reading and writing rows: plain functions that take a session."""
