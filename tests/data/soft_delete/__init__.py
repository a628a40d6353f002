"""Soft delete on models made for the purpose; run inside a rendered project."""
