"""The choices of columns that take one of a few values."""
