"""Problem details (RFC 9457) for every error. Request values are never echoed."""

import json
import logging
import re
from http.client import responses as phrases
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.db.base import Base
from app.db.engine import DatabaseUnavailableError, OutcomeUnknownError
from app.db.errors import (
    InvalidCursorError,
    MissingReferenceError,
    NotFoundError,
    PreconditionFailedError,
    Violation,
    violation_of,
    words,
)
from app.logs import request_id, route_of
from app.schemas.types import NON_BLANK, TEXT
from app.telemetry import pool_timeouts

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

# The status and the title of each kind of problem; docs/errors.md explains them to clients.
KINDS: dict[str, tuple[int, str]] = {
    "invalid-host": (400, "Invalid host"),
    "not-found": (404, "Not found"),
    "already-exists": (409, "Already exists"),
    "still-referenced": (409, "Still referenced"),
    "precondition-failed": (412, "Precondition failed"),
    "body-too-large": (413, "Body too large"),
    "unsupported-media-type": (415, "Unsupported media type"),
    "invalid-request": (422, "Invalid request"),
    "invalid-cursor": (422, "Invalid cursor"),
    "missing-reference": (422, "Missing reference"),
    "precondition-required": (428, "Precondition required"),
    "internal-error": (500, "Internal server error"),
    "unavailable": (503, "Database unavailable"),
    "outcome-unknown": (503, "Outcome unknown"),
    # Add your own kinds below this line.
}

# The kinds of errors that the framework or a route raises as HTTPException(status).
_BY_STATUS = {
    413: "body-too-large",
    428: "precondition-required",
}

# The detail of FastAPI's status 400 for a body that is not JSON in UTF-8.
_UNDECODABLE = "There was an error parsing the body"

# Instead of Pydantic's messages, which show the pattern.
_MESSAGES = {
    TEXT: "Must not contain NUL characters",
    NON_BLANK: "Must not be blank or contain NUL characters",
}

_STILL_REFERENCED = "Other rows still reference this one."

# Limits on the errors in a response: `loc` can contain field names from the request.
_MAX_ERRORS = 30
_MAX_LENGTH = 100


class FieldError(BaseModel):
    """One invalid part of the request; `loc` is its path, e.g. `["body", "email"]`."""

    loc: list[str | int]
    msg: str
    type: str


class Problem(BaseModel):
    """Problem details, https://www.rfc-editor.org/rfc/rfc9457."""

    type: str = Field(
        description="Kind of the problem; `about:blank` means no more than the status",
        examples=[f"/problems/{kind}" for kind in KINDS],
    )
    title: str
    status: int
    detail: str
    instance: str | None = Field(default=None, description="URN of the request id, as in the logs")
    errors: list[FieldError] = []


def problems(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` for these kinds of problems."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status, title = KINDS[kind]
        described = f"{title} (`/problems/{kind}`)"
        if status in found:
            described = f"{found[status]['description']}, {described}"
        found[status] = {"model": Problem, "description": described}
    return found


def problem(
    kind: str,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: Any = None,
) -> JSONResponse:
    """Return a response with problem details."""
    status, title = KINDS[kind]
    body = Problem(
        type=f"/problems/{kind}",
        title=title,
        status=status,
        detail=detail,
        errors=errors or [],
    )
    return _response(body, headers)


def _response(body: Problem, headers: Any) -> JSONResponse:
    if identifier := request_id.get():
        body.instance = f"urn:request:{identifier}"
    content = body.model_dump(exclude_none=True)
    return JSONResponse(content, body.status, headers=headers, media_type=MEDIA_TYPE)


def _violation(violation: Violation) -> JSONResponse:
    if violation.kind == "still_referenced":
        return problem("still-referenced", _STILL_REFERENCED)
    columns = violation.columns
    names = " and ".join(columns)
    if violation.kind == "unique":
        kind, msg = "already-exists", "Already exists"
        detail = f"{_a_row(violation.table)} with this {names or 'key'} already exists."
    elif violation.kind == "check":
        kind, msg = "invalid-request", "Violates a constraint"
        detail = f"The request violates a constraint on {names or 'its values'}."
    else:
        kind, msg = "missing-reference", "Not found"
        refer = "refer to rows that do not" if len(columns) > 1 else "refers to a row that does not"
        detail = f"{names or 'The body'} {refer} exist."
    errors = [FieldError(loc=["body", column], msg=msg, type=violation.kind) for column in columns]
    return problem(kind, detail, errors)


def _a_row(table: str) -> str:
    """Return the model of a table as words with an article: `An order line`."""
    mappers = Base.registry.mappers
    models = (each.class_ for each in mappers if getattr(each.local_table, "name", "") == table)
    name = next(map(words, models), "row")
    # By sound: `an order` and `an upload`, but `a user`.
    vowel = re.match(r"(?!one|uni|eu)([aeio]|u[lnp])", name)
    return f"{'An' if vowel else 'A'} {name}"


def respond(kind: str, detail: str = "", headers: Any = None) -> Any:
    """Return a handler that responds with a problem; its detail defaults to the error's text."""

    async def handle(_request: Request, error: Exception) -> JSONResponse:
        return problem(kind, detail or str(error), headers=headers)

    return handle


async def _invalid_cursor(_request: Request, _error: InvalidCursorError) -> JSONResponse:
    error = FieldError(loc=["query", "cursor"], msg="Invalid cursor", type="invalid_cursor")
    return problem("invalid-cursor", "The cursor is damaged or belongs to another query.", [error])


async def _missing_reference(_request: Request, error: MissingReferenceError) -> JSONResponse:
    return _violation(Violation("missing_reference", error.table, error.columns))


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    status, detail = error.status_code, error.detail
    if not isinstance(detail, str):
        # FastAPI allows any JSON.
        detail = json.dumps(detail)
    if kind := _BY_STATUS.get(status):
        return problem(kind, detail, headers=error.headers)
    if detail == _UNDECODABLE:
        return problem("invalid-request", "The body is not valid JSON.")
    title = phrases.get(status, "Error")
    body = Problem(type="about:blank", title=title, status=status, detail=detail)
    # A mounted application knows its own methods.
    allowed = _allowed(request) if status == 405 else ""
    return _response(body, {"Allow": allowed} if allowed else error.headers)


def _allowed(request: Request) -> str:
    """Return all methods of a path; the exception lists only those of one route."""
    scope = request.scope
    routes = [route for route in request.app.routes if route.matches(scope)[0] is not Match.NONE]
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    allowed = [
        method
        for method in methods
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ", ".join(allowed).replace("GET", "GET, HEAD")


async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    # FastAPI passes on a body undecoded if its content type is not JSON.
    if isinstance(error.body, bytes):
        return problem("unsupported-media-type", "The body must be application/json.")
    found = error.errors()
    errors = [
        FieldError(
            loc=[part if isinstance(part, int) else part[:_MAX_LENGTH] for part in item["loc"]],
            msg=_message(item),
            type=item["type"],
        )
        for item in found[:_MAX_ERRORS]
    ]
    more = f" Only the first {_MAX_ERRORS} errors are listed." if len(found) > _MAX_ERRORS else ""
    return problem("invalid-request", f"The request is invalid.{more}", errors)


def _message(error: dict[str, Any]) -> str:
    pattern = error.get("ctx", {}).get("pattern")
    message = str(_MESSAGES.get(pattern, error["msg"]))
    return message.removeprefix("Value error, ")[:_MAX_LENGTH]


async def _integrity(_request: Request, error: IntegrityError) -> JSONResponse:
    violation = violation_of(error)
    if violation is None:
        raise error
    return _violation(violation)


def _log(request: Request, error: Exception) -> None:
    cause = str(error).partition("\n")[0]
    logger.warning("%s %s: %s", request.method, route_of(request.scope), cause)


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, PoolTimeoutError):
        pool_timeouts.add(1)
    _log(request, error)
    detail = "The database is unavailable; try again later."
    return problem("unavailable", detail, headers={"Retry-After": "1"})


async def _outcome_unknown(request: Request, error: OutcomeUnknownError) -> JSONResponse:
    _log(request, error)
    detail = "The connection was lost during the commit; the changes may have been stored."
    return problem("outcome-unknown", detail)


async def _internal_error(_request: Request, _error: Exception) -> JSONResponse:
    # Only for errors of outer middleware, where RequestMiddleware cannot add this header.
    headers = {"X-Request-ID": request_id.get() or ""}
    return problem("internal-error", "Internal server error.", headers=headers)


_HANDLERS: dict[type[Exception], Any] = {
    Exception: _internal_error,
    HTTPException: _http,
    RequestValidationError: _invalid,
    IntegrityError: _integrity,
    NotFoundError: respond("not-found"),
    PreconditionFailedError: respond("precondition-failed"),
    InvalidCursorError: _invalid_cursor,
    MissingReferenceError: _missing_reference,
    DatabaseUnavailableError: _unavailable,
    PoolTimeoutError: _unavailable,
    OutcomeUnknownError: _outcome_unknown,
    # Add handlers for your own errors below this line.
}


def install(app: FastAPI) -> None:
    """Register handlers that turn every error into problem details."""
    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)
