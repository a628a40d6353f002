"""Schemathesis findings that the API contract allows."""

import json
import re
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jsonschema_rs
import schemathesis
from schemathesis.specs.openapi.checks import (
    AcceptedNegativeData,
    negative_data_rejection,
    positive_data_acceptance,
    use_after_free,
)

# Problem types that depend on stored rows, which a schema cannot describe.
BY_STATE = {
    "/problems/missing-reference": "a reference to a row that does not exist",
    "/problems/invalid-cursor": "cursors are opaque: only the API writes them",
    "/problems/precondition-failed": "If-Match with another version",
}
# Errors of single values, by their message, where the schema's format is wider than the API.
BY_VALUE = {
    r"not a valid email address": "`format: email` includes reserved domains",
    r"Input should be a valid integer": "JSON Schema takes 1.0 for an integer",
    r"no more than \d+ (digits|decimal places)": "JSON Schema does not limit a number's digits",
    r"JSON numbers are exact to 15 digits": "JSON Schema does not limit a number's digits",
    r"use a date from": "`format: date` includes days that not every time zone can store",
    r"use ISO 8601": "`format: date-time` in other notations",
    r"NUL characters, lone surrogates": "JSON Schema cannot constrain strings in arbitrary JSON",
    r"use either cursor or offset": "OpenAPI cannot exclude one parameter by another",
}


@schemathesis.hook
def filter_query(_context: Any, query: Any) -> bool:
    """Skip queries that are too long for a URL: the server refuses them itself (docs/errors.md)."""
    return len(urlencode(query or {}, doseq=True)) < 60_000


def is_explained(status: int, problem: Any) -> bool:
    """Return whether every error of a response is in the lists above."""
    if status not in {412, 422} or not isinstance(problem, dict):
        return False
    if problem["type"] in BY_STATE:
        return True
    messages = [error["msg"] for error in problem["errors"]]
    return bool(messages) and all(
        any(re.search(pattern, message) for pattern in BY_VALUE) for message in messages
    )


@schemathesis.check
def valid_requests_are_accepted(ctx: Any, response: Any, case: Any) -> bool | None:
    """Run schemathesis's own check on what is not explained."""
    is_json = "json" in (response.headers.get("content-type") or [""])[0]
    if is_json and is_explained(response.status_code, response.json()):
        return None
    return positive_data_acceptance(ctx, response, case)


def fits_as_sent(url: str, operation: Any) -> bool:
    """Return whether a query is valid as sent: `?tag=a` is also a list of one string."""
    components = operation.schema.raw_schema["components"]
    parameters = operation.definition.raw.get("parameters", [])
    schemas = {each["name"]: {**each["schema"], "components": components} for each in parameters}
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    for name, values in query.items():
        forms: list[Any] = [values, values[-1]]
        with suppress(ValueError):
            parsed = [json.loads(value) for value in values]
            forms += [parsed, parsed[-1]]
        if not any(jsonschema_rs.is_valid(schemas.get(name, False), form) for form in forms):
            return False
    return True


@schemathesis.check
def invalid_requests_are_refused(ctx: Any, response: Any, case: Any) -> bool | None:
    """Run schemathesis's own check, except on queries that are valid as sent."""
    try:
        return negative_data_rejection(ctx, response, case)
    except AcceptedNegativeData:
        only_a_query = case.method == "GET" and "{" not in case.path
        if only_a_query and fits_as_sent(response.request.url, case.operation):
            return None
        raise


@schemathesis.check
def deleted_rows_are_gone(ctx: Any, response: Any, case: Any) -> bool | None:
    """Run schemathesis's own check, unless the request asks for deleted rows."""
    asks = "include_deleted=true" in urlsplit(response.request.url).query
    return None if asks else use_after_free(ctx, response, case)
