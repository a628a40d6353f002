"""Settings and their error messages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings, load_settings
from tests.conftest import isolate

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Isolate from the local environment."""
    monkeypatch.chdir(tmp_path)
    isolate(monkeypatch)


def test_missing_setting_is_named() -> None:
    with pytest.raises(SystemExit, match=r"DATABASE_URL is missing: Database URL"):
        load_settings()


def test_all_invalid_settings_are_named_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://user:secret@host/name")
    monkeypatch.setenv("POOL_SIZE", "0")
    with pytest.raises(SystemExit) as stopped:
        load_settings()
    message = str(stopped.value)
    assert "DATABASE_URL is not an SQLite URL; use sqlite://" in message
    assert "POOL_SIZE: Input should be greater than or equal to 1" in message
    assert "secret" not in message


def test_invalid_setting_prevents_startup() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WEB_CONCURRENCY": "2"}
    started = subprocess.run(
        [sys.executable, "-m", "app"],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert started.returncode == 1
    assert started.stderr.startswith("Some settings are missing or invalid.")


def test_repr_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "sqlite:///secret.db"
    monkeypatch.setenv("DATABASE_URL", url)
    settings = load_settings()
    assert url not in repr(settings)
    assert settings.database_url.get_secret_value() == url


def _shown(default: object) -> str:
    return "" if default in (None, ()) else f"`{default}`"


def test_the_documentation_lists_every_setting() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    expected = [
        (
            name.upper(),
            "required" if field.is_required() else _shown(field.default),
            field.description,
        )
        for name, field in Settings.model_fields.items()
    ]
    assert sorted(rows) == sorted(expected)
