"""A pytest plugin that reverses the order of the tests, to reveal dependencies between them."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Reverse the order of the tests."""
    items.reverse()
