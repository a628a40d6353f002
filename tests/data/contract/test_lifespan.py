"""What the application does to its process while it serves."""

import gc

from app.main import create_app
from app.settings import Settings
from fastapi.testclient import TestClient


def test_objects_of_the_start_are_frozen_while_it_serves(settings: Settings) -> None:
    gc.unfreeze()
    with TestClient(create_app(settings)):
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
