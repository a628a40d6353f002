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
URL = "postgresql://u:p@h/db"


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
    assert "DATABASE_URL is not a PostgreSQL URL; use postgresql://" in message
    assert "POOL_SIZE: Input should be greater than or equal to 1" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        # Heroku, Render, Railway, DigitalOcean
        ("postgres://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("postgresql://u:p@h:25060/db", "postgresql+psycopg://u:p@h:25060/db"),
        # Written for another driver
        ("postgresql+psycopg2://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        # Neon, Azure
        (
            "postgresql://u:p@h.neon.tech/db?sslmode=require&channel_binding=require",
            "postgresql+psycopg://u:p@h.neon.tech/db?channel_binding=require&sslmode=require",
        ),
        # Google Cloud SQL
        (
            "postgresql://u:p@/db?host=/cloudsql/project:region:name",
            "postgresql+psycopg://u:p@/db?host=%2Fcloudsql%2Fproject%3Aregion%3Aname",
        ),
        # A primary and its standby
        (
            "postgresql://u:p@/db?host=a:5432&host=b:5432&target_session_attrs=read-write",
            "postgresql+psycopg://u:p@/db?host=a%3A5432&host=b%3A5432&target_session_attrs=read-write",
        ),
        # Amazon RDS; options for an older Neon
        (
            "postgresql://u:p@h/db?sslmode=verify-full&sslrootcert=/ca.pem",
            "postgresql+psycopg://u:p@h/db?sslmode=verify-full&sslrootcert=%2Fca.pem",
        ),
        (
            "postgresql://u:p@h/db?options=endpoint%3Dname",
            "postgresql+psycopg://u:p@h/db?options=endpoint%3Dname",
        ),
        # Poolers of Neon and Supabase
        ("postgresql://u:p@x-pooler.h/db", "postgresql+psycopg://u:p@x-pooler.h/db"),
        ("postgresql://u:p@h:6543/db", "postgresql+psycopg://u:p@h:6543/db"),
    ],
)
def test_database_urls_get_the_right_driver(url: str, parsed: str) -> None:
    assert parse_database_url(url).render_as_string(hide_password=False) == parsed


def test_primary_is_no_read_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "READ_DATABASE_URL"):
        monkeypatch.setenv(name, URL)
    assert load_settings().read_database_url is None
    monkeypatch.setenv("READ_DATABASE_URL", f"{URL}_replica")
    assert load_settings().read_database_url is not None


def test_documented_urls_are_accepted() -> None:
    text = (ROOT / "docs" / "connections.md").read_text(encoding="utf-8")
    urls = re.findall(r"`(postgres\S+)`", text)
    assert len(urls) > 1
    for url in urls:
        assert parse_database_url(url).drivername == "postgresql+psycopg", url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "postgresql://u:p@h",
        "postgresql://u:p@h:port/db",
        "mysql://u:p@h/db",
        "postgresql://u:p@h/db?schema=public&connection_limit=1",
    ],
)
def test_unsupported_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has|points) "):
        parse_database_url(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://u:p@h:0/db", "has an invalid port; use 1 to 65535"),
        ("postgresql://u:p@h:65536/db", "has an invalid port; use 1 to 65535"),
        ("postgresql://u:p@h/db?sslmode=required", "has an invalid sslmode; use disable, allow, "),
        (
            "postgresql://u:p@h/db?target_session_attrs=master",
            "has an invalid target_session_attrs; use any, read-write, ",
        ),
    ],
)
def test_invalid_parts_of_a_url_are_named(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
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
    url = "postgresql://u:secret@h/db"
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
        ("PURGE_AFTER_DAYS", "1000000"),
    ],
)
def test_values_that_cannot_work_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        load_settings()
