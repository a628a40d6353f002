"""Factories of sample rows: any number of them, each different."""

import datetime as dt
import itertools

NUMBERS = itertools.count(1)


def nth_day(n: int) -> str:
    """Return the n-th day of 2026 and the years after."""
    return (dt.date(2025, 12, 31) + dt.timedelta(days=n)).isoformat()


def nth_noon(n: int) -> str:
    """Return noon of that day, in UTC."""
    return f"{nth_day(n)}T12:00:00Z"
