"""Settings and their error messages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from app.settings import Settings, load_settings, parse_database_url
from tests.conftest import isolate

ROOT = Path(__file__).parent.parent
URL = "sqlite:///app.db"


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


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("sqlite:///app.db", "sqlite+pysqlite:///app.db"),
        ("sqlite:////data/app.db", "sqlite+pysqlite:////data/app.db"),
    ],
)
def test_database_urls_get_the_right_driver(url: str, parsed: str) -> None:
    assert parse_database_url(url).render_as_string(hide_password=False) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://app.db",
    ],
)
def test_unsupported_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has|points) "):
        parse_database_url(url)


def test_env_file_in_another_encoding_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    # As Windows PowerShell 5 writes.
    file.write_text(f"DATABASE_URL={URL}\n", encoding="utf-16")
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    with pytest.raises(SystemExit, match=r"^\.env is not UTF-8"):
        load_settings()


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


def test_the_documentation_lists_every_setting() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    expected = [
        (
            name.upper(),
            "" if field.default in (None, (), PydanticUndefined) else f"`{field.default}`",
            field.description,
        )
        for name, field in Settings.model_fields.items()
    ]
    assert sorted(rows) == sorted(expected)


def test_lists_are_separated_by_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example.com, *.example.com [::1]")
    assert load_settings().allowed_hosts == ("a.example.com", "*.example.com", "[::1]")


def test_hosts_and_origins_are_spelled_as_clients_send_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("ALLOWED_HOSTS", "API.example.com")
    monkeypatch.setenv("CORS_ORIGINS", "https://App.example.com/ http://localhost:3000")
    settings = load_settings()
    assert settings.allowed_hosts == ("api.example.com",)
    assert settings.cors_origins == ("https://app.example.com", "http://localhost:3000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "https://api.example.com"),
        ("ALLOWED_HOSTS", "api.example.com:8000"),
        ("ALLOWED_HOSTS", "api.*.example.com"),
        ("CORS_ORIGINS", "app.example.com"),
        ("CORS_ORIGINS", "https://app.example.com/path"),
        ("CORS_ORIGINS", "https://*.example.com"),
        ("HOST", ""),
    ],
)
def test_values_that_cannot_work_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        load_settings()
