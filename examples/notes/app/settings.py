"""Settings, read from the environment and from `.env`."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLE_URL = "sqlite:///app.db"


def parse_database_url(value: str) -> URL:
    """Return the URL with the driver that this project uses.

    Raises ValueError if it is not the URL of an SQLite file.
    """
    try:
        url = make_url(value.strip())
    except (ArgumentError, ValueError):
        msg = f"is not a database URL; use {EXAMPLE_URL}"
        raise ValueError(msg) from None
    if url.get_backend_name() != "sqlite":
        msg = f"is not an SQLite URL; use {EXAMPLE_URL}"
        raise ValueError(msg)
    if url.host or url.username or url.password:
        msg = "has a host: use three slashes for a relative path, four for an absolute one"
        raise ValueError(msg)
    if url.database in (None, "", ":memory:"):
        msg = f"has no file name; use {EXAMPLE_URL}"
        raise ValueError(msg)
    return url.set(drivername="sqlite+pysqlite")


def _check_database_url(value: SecretStr) -> SecretStr:
    parse_database_url(value.get_secret_value())
    return value


def _split(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _each(pattern: str, advice: str) -> AfterValidator:
    """Return a validator of hosts or origins, which clients send in lower case."""

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        items = tuple(value.lower().removesuffix("/") for value in values)
        for item in items:
            if not re.fullmatch(pattern, item):
                msg = f"has an invalid item: {item}; use {advice}"
                raise ValueError(msg)
        return items

    return AfterValidator(check)


DatabaseUrl = Annotated[SecretStr, AfterValidator(_check_database_url)]
Strings = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Hosts = Annotated[
    Strings,
    _each(r"(\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\]", "api.example.com, or nothing for any"),
]
Origins = Annotated[
    Strings,
    _each(r"\*|null|[a-z][a-z0-9+.-]*://[^/?#@*]+", "https://app.example.com, or * for any"),
]


class Settings(BaseSettings):
    """Each field is read from the environment variable of the same name in upper case."""

    model_config = SettingsConfigDict(
        env_file=Path(__file__).parents[1] / ".env", extra="ignore", hide_input_in_errors=True
    )

    database_url: DatabaseUrl = Field(description=f"Database URL, e.g. `{EXAMPLE_URL}`")

    pool_size: int = Field(default=5, ge=1, description="Connections per process")
    max_overflow: int = Field(
        default=0,
        ge=0,
        description="Extra connections per process under load, closed after use",
    )
    pool_timeout: float = Field(
        default=5,
        gt=0,
        description="Seconds to wait for a connection before responding with 503",
    )
    busy_timeout: float = Field(
        default=5,
        gt=0,
        description="Seconds to wait for another writer before responding with 503",
    )

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on; `0.0.0.0` for all, as in a container",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on")
    web_concurrency: int = Field(default=1, ge=1, description="Number of uvicorn workers")
    forwarded_allow_ips: str = Field(
        default="127.0.0.1",
        description="Proxies whose `X-Forwarded-*` headers are trusted, separated by commas",
    )
    allowed_hosts: Hosts = Field(
        default=(),
        description="Accepted `Host` headers, e.g. `api.example.com *.example.org`; empty for any",
    )
    cors_origins: Origins = Field(
        default=(),
        description="Origins that browsers may call from, e.g. `https://app.example.com`",
    )
    hsts_seconds: int = Field(
        default=0,
        ge=0,
        description="`max-age` of `Strict-Transport-Security`; 0 to omit the header",
    )
    docs_enabled: bool = Field(
        default=False,
        description="Serve `/docs` and `/openapi.json`",
    )
    max_body_size: int = Field(
        default=1_048_576,
        ge=0,
        description="Maximum size of a request body in bytes; 413 if exceeded",
    )
    require_if_match: bool = Field(
        default=False,
        description="Respond with 428 to updates and deletions without `If-Match`",
    )
    log_format: Literal["json", "text"] = Field(
        default="json",
        description="`json` for machines, `text` for people",
    )
    sql_spans: bool = Field(default=False, description="Add a span per SQL statement to traces")

    # Your own settings go below this line.

    @property
    def sqlalchemy_url(self) -> URL:
        """The database URL with this project's driver."""
        return parse_database_url(self.database_url.get_secret_value())


def load_settings() -> Settings:
    """Load the settings, or exit with a message listing each invalid variable."""
    try:
        return Settings()  # type: ignore[call-arg]  # The values come from the environment.
    except ValidationError as error:
        lines = [f"  {_describe(problem)}" for problem in error.errors(include_input=False)]
        raise SystemExit(
            "Some settings are missing or invalid. Set them in the environment or in .env:\n"
            + "\n".join(lines)
        ) from None
    except UnicodeDecodeError:
        msg = ".env is not UTF-8; save it in that encoding"
        raise SystemExit(msg) from None


def _describe(problem: ErrorDetails) -> str:
    own = problem.get("ctx", {}).get("error")
    if not problem["loc"]:
        # A validator of several settings names them itself.
        return str(own or problem["msg"])
    name = str(problem["loc"][0])
    if problem["type"] == "missing":
        field = Settings.model_fields.get(name)
        reason = (field and field.description) or "it has no default"
        return f"{name.upper()} is missing: {reason}"
    # Our messages continue the variable name; Pydantic's are full sentences.
    return f"{name.upper()} {own}" if own else f"{name.upper()}: {problem['msg']}"
