"""The one clock of the application."""

import datetime as dt


def utcnow() -> dt.datetime:
    """Return the current moment, aware and in UTC."""
    return dt.datetime.now(dt.UTC)
