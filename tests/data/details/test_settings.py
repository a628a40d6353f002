"""URLs of databases, hosts, origins and encodings that settings accept and refuse."""

import re
from pathlib import Path

import pytest
from app.settings import Settings, load_settings, parse_database_url
from tests.conftest import isolate
from tests.details import DRIVER

ROOT = Path(__file__).parents[2]
IS_SQLITE = DRIVER.startswith("sqlite")
BEHIND_PGBOUNCER = "prepared_statements" in Settings.model_fields
URL = "sqlite:///app.db" if IS_SQLITE else "postgresql://u:p@h/db"

ACCEPTED = [
    # Heroku, Render, Railway, DigitalOcean
    ("postgres://u:p@h/db", "://u:p@h/db"),
    ("postgresql://u:p@h:25060/db", "://u:p@h:25060/db"),
    # Written for another driver
    ("postgresql+psycopg2://u:p@h/db", "://u:p@h/db"),
    # Google Cloud SQL
    (
        "postgresql://u:p@/db?host=/cloudsql/project:region:name",
        "://u:p@/db?host=%2Fcloudsql%2Fproject%3Aregion%3Aname",
    ),
    # A primary and its standby
    (
        "postgresql://u:p@/db?host=a:5432&host=b:5432&target_session_attrs=read-write",
        "://u:p@/db?host=a%3A5432&host=b%3A5432&target_session_attrs=read-write",
    ),
]
REFUSED = [
    "postgresql://u:p@h",
    "postgresql://u:p@h:port/db",
    "mysql://u:p@h/db",
    "postgresql://u:p@h/db?schema=public&connection_limit=1",
]
POOLERS = [
    "postgresql://u:p@ep-name-pooler.h.neon.tech/db",
    "postgresql://u:p@aws-0-eu.pooler.supabase.com/db",
    "postgresql://u:p@h:6543/db",
]
NAMED = [
    ("postgresql://u:p@h:0/db", "has an invalid port; use 1 to 65535"),
    ("postgresql://u:p@h:65536/db", "has an invalid port; use 1 to 65535"),
    ("postgresql://u:p@h/db?sslmode=required", "has an invalid sslmode; use disable, allow, "),
    (
        "postgresql://u:p@h/db?target_session_attrs=master",
        "has an invalid target_session_attrs; use any, read-write, ",
    ),
]
# Neon, Azure
NEON = "postgresql://u:p@h.neon.tech/db?sslmode=require&channel_binding=require"
# Only psycopg takes these: an older Neon, and Amazon RDS.
ENDPOINT = "postgresql://u:p@h/db?options=endpoint%3Dname"
CERTIFICATE = "postgresql://u:p@h/db?sslmode=verify-full&sslrootcert=/ca.pem"

if IS_SQLITE:
    ACCEPTED = [(f"sqlite://{path}", f"://{path}") for path in ("/app.db", "//data/app.db")]
    REFUSED = ["sqlite://", "sqlite:///:memory:", "sqlite://app.db"]
    NAMED = []
elif DRIVER.endswith("asyncpg"):
    ACCEPTED.append((NEON, "://u:p@h.neon.tech/db?ssl=require"))
    REFUSED += [ENDPOINT, CERTIFICATE, "postgresql://u:p@h/db?connect_timeout=3", *POOLERS]
    NAMED.append(("postgresql://u:p@h/db?ssl=true", "has an invalid ssl; use disable, allow, "))
else:
    ACCEPTED += [
        (NEON, "://u:p@h.neon.tech/db?channel_binding=require&sslmode=require"),
        (ENDPOINT, "://u:p@h/db?options=endpoint%3Dname"),
        (CERTIFICATE, "://u:p@h/db?sslmode=verify-full&sslrootcert=%2Fca.pem"),
    ]
    if BEHIND_PGBOUNCER:
        ACCEPTED += [(url, url.removeprefix("postgresql")) for url in POOLERS]
    else:
        REFUSED += POOLERS


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Isolate from the local environment, and set what is required."""
    monkeypatch.chdir(tmp_path)
    isolate(monkeypatch)
    monkeypatch.setenv("DATABASE_URL", URL)
    # Only with an identity provider.
    monkeypatch.setenv("OIDC_ISSUER", "https://id.example.com")
    monkeypatch.setenv("OIDC_AUDIENCE", "api")


@pytest.mark.parametrize(("url", "parsed"), ACCEPTED)
def test_database_urls_get_the_right_driver(url: str, parsed: str) -> None:
    assert parse_database_url(url).render_as_string(hide_password=False) == f"{DRIVER}{parsed}"


@pytest.mark.parametrize("url", ["", "nonsense", *REFUSED])
def test_unsupported_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has|points) "):
        parse_database_url(url)


def test_invalid_parts_of_a_url_are_named() -> None:
    for url, message in NAMED:
        with pytest.raises(ValueError, match=f"^{message}"):
            parse_database_url(url)


if not IS_SQLITE:

    def test_primary_is_not_a_read_replica(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("READ_DATABASE_URL", URL)
        assert load_settings().read_database_url is None
        monkeypatch.setenv("READ_DATABASE_URL", f"{URL}_replica")
        assert load_settings().read_database_url is not None

    def test_documented_urls_are_accepted() -> None:
        text = (ROOT / "docs" / "connections.md").read_text(encoding="utf-8")
        urls = re.findall(r"`(postgres\S+)`", text)
        assert len(urls) > 1
        for url in urls:
            assert parse_database_url(url).drivername == DRIVER, url


def test_env_file_in_another_encoding_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    # As Windows PowerShell 5 writes.
    file.write_text(f"DATABASE_URL={URL}\n", encoding="utf-16")
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    with pytest.raises(SystemExit, match=r"^\.env is not UTF-8"):
        load_settings()


def test_lists_are_separated_by_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example.com, *.example.com [::1]")
    assert load_settings().allowed_hosts == ("a.example.com", "*.example.com", "[::1]")


def test_hosts_and_origins_are_spelled_as_clients_send_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "API.example.com")
    monkeypatch.setenv("CORS_ORIGINS", "https://App.example.com/ http://localhost:3000")
    settings = load_settings()
    assert settings.allowed_hosts == ("api.example.com",)
    assert settings.cors_origins == ("https://app.example.com", "http://localhost:3000")


UNWORKABLE = [
    ("ALLOWED_HOSTS", "*"),
    ("ALLOWED_HOSTS", "https://api.example.com"),
    ("ALLOWED_HOSTS", "api.example.com:8000"),
    ("ALLOWED_HOSTS", "api.*.example.com"),
    ("CORS_ORIGINS", "app.example.com"),
    ("CORS_ORIGINS", "https://app.example.com/path"),
    ("CORS_ORIGINS", "https://*.example.com"),
    ("HOST", ""),
    ("PURGE_AFTER_DAYS", "1000000"),
]
UNSAFE_ISSUERS = [
    "id.example.com",
    "http://id.example.com",
    "https://",
    "https://id.example.com/?tenant=1",
    "file:///etc/hostname",
]


@pytest.mark.parametrize(
    ("name", "value"),
    [each for each in UNWORKABLE if each[0].lower() in Settings.model_fields],
)
def test_values_that_cannot_work_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        load_settings()


if "oidc_issuer" in Settings.model_fields:

    @pytest.mark.parametrize("issuer", UNSAFE_ISSUERS)
    def test_an_unsafe_issuer_is_refused(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
        monkeypatch.setenv("OIDC_ISSUER", issuer)
        with pytest.raises(SystemExit, match=r"OIDC_ISSUER (is not an HTTPS URL|has a query)"):
            load_settings()
