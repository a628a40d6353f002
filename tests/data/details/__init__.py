"""Details that are the same in every project, tested inside a rendered one as `tests/details`."""

from contextlib import suppress

from app.settings import parse_database_url


def _driver() -> str:
    for url in ("sqlite:///app.db", "postgresql://u:p@h/db"):
        with suppress(ValueError):
            return parse_database_url(url).drivername
    raise AssertionError


DRIVER = _driver()
