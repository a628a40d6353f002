"""A pytest plugin that writes the log of all tests to a file, as in production."""

import logging
import os
from collections.abc import Iterator

import pytest
from app.logs import JsonFormatter


@pytest.fixture(autouse=True, scope="session")
def _log_to_file() -> Iterator[None]:
    handler = logging.FileHandler(os.environ["LOG_FILE"])
    handler.setFormatter(JsonFormatter())
    # The test client is no part of production.
    handler.addFilter(lambda record: not record.name.startswith("httpx"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield
    root.removeHandler(handler)
    handler.close()
