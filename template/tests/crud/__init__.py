"""Tests of the CRUD functions, without HTTP."""
