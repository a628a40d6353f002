"""Sample values: any number of them, each different."""

import datetime as dt
import itertools
import string
from collections import defaultdict
from collections.abc import Iterator

# One counter per factory.
NUMBERS: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
ALPHABET = string.digits + string.ascii_letters


def nth_text(n: int, length: int) -> str:
    """Return the n-th text of this length, counted in digits and letters."""
    found = ""
    while len(found) < length:
        n, digit = divmod(n, len(ALPHABET))
        found = ALPHABET[digit] + found
    return found


def nth_day(n: int) -> str:
    """Return the n-th day of 2026 and the years after."""
    return (dt.date(2025, 12, 31) + dt.timedelta(days=n)).isoformat()


def nth_noon(n: int) -> str:
    """Return noon of that day, in UTC."""
    return f"{nth_day(n)}T12:00:00Z"
