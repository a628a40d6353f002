"""Enums used by models and schemas."""
