"""Tests of the API contract on a large table, run inside a rendered project as `tests/contract`."""
