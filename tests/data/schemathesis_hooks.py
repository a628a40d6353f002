"""What schemathesis may find: requests that fit the schema and are refused nevertheless."""

import re
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

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
    r"use a date from": "`format: date` includes days that not every time zone can store",
    r"use ISO 8601": "`format: date-time` in other notations",
    r"NUL characters, lone surrogates": "JSON Schema cannot constrain strings in arbitrary JSON",
    r"use either cursor or offset": "OpenAPI cannot exclude one parameter by another",
}


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
