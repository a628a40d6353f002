"""Factories of rows, for the tests and for example data."""
