"""Rows shown together with those that belong to them."""
