"""Factories of sample rows: any number of them, each different."""

import datetime as dt
import itertools

FIRST_DAY = dt.date(2026, 1, 1)
NUMBERS = itertools.count(1)
