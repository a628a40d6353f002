"""A plugin that runs a suite from its last test to its first: no test may need another."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Reverse the order of the tests."""
    items.reverse()
