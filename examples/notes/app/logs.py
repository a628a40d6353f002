"""Logs: JSON without values of rows, with the id of the request; or plain text, for development."""

import datetime as dt
import json
import logging
import traceback
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from opentelemetry import trace
from starlette.types import Scope

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

# The messages of these libraries' errors can contain values of rows and requests.
_PRIVATE = {"sqlite3", "fastapi", "pydantic_core", "sqlalchemy"}

_ROOT = str(Path(__file__).parents[1])

_encode = json.JSONEncoder(default=str, skipkeys=True).encode


def log_config(log_format: str) -> dict[str, Any]:
    """Return the configuration of logging, for uvicorn and all other loggers."""
    line = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": JsonFormatter},
            "text": {"format": line, "datefmt": "%H:%M:%S"},
        },
        "handlers": {
            "default": {
                "class": "logging.StreamHandler",
                "formatter": log_format,
                "stream": "ext://sys.stdout",
            }
        },
        "root": {"handlers": ["default"], "level": "INFO"},
        "loggers": {name: {"level": "WARNING"} for name in ("alembic", "watchfiles")},
    }


class JsonFormatter(logging.Formatter):
    """One JSON object per record, for production."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record with its request and trace, and the `fields` given by `extra`."""
        entry: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if identifier := request_id.get():
            entry["request_id"] = identifier
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            entry["trace_id"] = trace.format_trace_id(span.trace_id)
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["exception"] = format_exception(record.exc_info[1])
        return _encode(entry)


def _is_own(file: str) -> bool:
    # The virtual environment may be in the project.
    return file.startswith(_ROOT) and "site-packages" not in file


def format_exception(error: BaseException | None, seen: set[int] | None = None) -> str:
    """Return the traceback of an error, its causes and its members, if it is a group.

    Omits frames of libraries except the innermost: a pipe keeps only short lines in one piece.
    Omits messages that may hold values, and errors already seen: they may be their own cause.
    """
    parts: list[str] = []
    seen = set() if seen is None else seen
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        private = type(error).__module__.partition(".")[0] in _PRIVATE
        message = getattr(error, "sqlite_errorname", None) if private else error
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames[:-1] if _is_own(frame.filename)]
        shown = "".join(traceback.format_list([*own, *frames[-1:]]))
        text = f"{shown}{type(error).__qualname__}: {message or ''}"
        members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        parts[:0] = filter(None, [text, *(format_exception(each, seen) for each in members)])
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or context
    return "\n\n".join(parts)


def route_of(scope: Scope) -> str | None:
    """Return the template of the matched path, e.g. `/posts/{key}`."""
    included: Any = scope.get("fastapi", {}).get("effective_route_context")
    return getattr(included or scope.get("route"), "path_format", None)
