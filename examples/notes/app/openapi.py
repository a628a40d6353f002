"""Complete the OpenAPI document with what FastAPI cannot infer."""

import math
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.errors import MEDIA_TYPE, Problem, problems

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_MERGE_PATCH = "application/merge-patch+json"  # RFC 7396
_INT64 = 2**63 - 1
_CRUD = {"post", "get", "patch", "delete"}


def operation_id(route: APIRoute) -> str:
    """Return the name of the route's function, such as `list_posts`, for generated clients."""
    return route.name


def install(app: FastAPI) -> None:
    """Complete the document that FastAPI generates."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = generate()
        methods: dict[str, set[str]] = {}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                _complete(path, method, operation)
                for tag in operation.get("tags", []):
                    methods.setdefault(tag, set()).add(method)
        _link(document["paths"])
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        _complete_numbers(document)
        for schema in schemas.values():
            if "properties" in schema:
                schema["examples"] = [_example("", schema, schemas)]
        tags = {
            tag: {"name": tag, "description": f"Create, read, update and delete {tag}."}
            for tag in sorted(methods)
            if methods[tag] >= _CRUD
        }
        tags |= {tag["name"]: tag for tag in document.get("tags", [])}
        document["tags"] = [*tags.values()]
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Document the errors and media types that follow from the shape of an operation."""
    parameters = [parameter["name"] for parameter in operation.get("parameters", [])]
    for parameter in operation.get("parameters", []):
        _drop_null(parameter["schema"])
    body = operation.get("requestBody")
    kinds = [
        *(["not-found"] if "{key}" in path else []),
        *(["precondition-failed", "precondition-required"] if "if-match" in parameters else []),
        *(["body-too-large", "unsupported-media-type"] if body else []),
        *(["invalid-request"] if body or parameters else []),
        *(["invalid-cursor"] if "cursor" in parameters else []),
        *(["unavailable"] if "health" not in operation.get("tags", []) else []),
        *(["outcome-unknown"] if method != "get" else []),
    ]
    responses = operation["responses"]
    if responses.get("422", {}).get("description") == "Validation Error":
        # FastAPI's default, which does not use problem details.
        del responses["422"]
    for status, response in problems(*kinds).items():
        described = response["description"]
        if given := responses.get(str(status)):
            described += f", {given['description']}"
        responses[str(status)] = {"description": described, "content": _PROBLEM}
    for response in responses.values():
        content = response.get("content", {})
        if content.get("application/json") == _PROBLEM[MEDIA_TYPE]:
            response["content"] = _PROBLEM
    if body and operation["operationId"].startswith("update_"):
        body["content"][_MERGE_PATCH] = body["content"]["application/json"]


def _drop_null(schema: dict[str, Any]) -> None:
    """Document a parameter as it can be sent: it may be omitted, but cannot be null."""
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        schema |= kinds[0]
    elif kinds:
        schema["anyOf"] = kinds


def _link(paths: dict[str, Any]) -> None:
    """Link from the responses of a collection to the operations on its rows."""
    for path, collection in paths.items():
        row = paths.get(path + "/{key}")
        if row is None:
            continue
        for method, status, pointer in (("post", "201", "/id"), ("get", "200", "/items/0/id")):
            names = [operation["operationId"] for operation in row.values()]
            parameters = {"key": f"$response.body#{pointer}"}
            links = {name: {"operationId": name, "parameters": parameters} for name in names}
            if response := collection.get(method, {}).get("responses", {}).get(status):
                response["links"] = links


# By format or type. Other strings use the name of the property.
_EXAMPLES = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "duration": "PT1H",
    "email": "user@example.com",
    "time": "12:00:00",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
}


def _example(name: str, schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Return a valid value of a schema, unless it has a pattern."""
    given = [*schema.get("examples", ()), *schema.get("enum", ())]
    given += [schema.get("const"), schema.get("default")]
    if (value := next((each for each in given if each is not None), None)) is not None:
        return value
    if "$ref" in schema:
        return _example(name, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return _example(name, schema["anyOf"][0], schemas)
    if "properties" in schema:
        properties = schema["properties"].items()
        return {key: _example(key, child, schemas) for key, child in properties}
    kind = schema.get("type", "object")
    if kind == "array":
        return [_example(name, schema["items"], schemas)]
    if kind == "object":
        return {}
    if kind in ("integer", "number"):
        return _within(_EXAMPLES[kind], schema)
    text = name.replace("_", " ")[: schema.get("maxLength")].ljust(schema.get("minLength", 0), ".")
    return _EXAMPLES.get(schema.get("format", ""), _EXAMPLES.get(kind, text))


def _within(number: Any, schema: dict[str, Any]) -> Any:
    """Return the number that is nearest to this one, within the bounds of a schema."""
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + 1)
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - 1)
    return type(number)(min(max(number, low), high))


def _complete_numbers(node: Any) -> None:
    """Add formats to numbers, and exact bounds to integers: FastAPI turns them into floats."""
    if isinstance(node, dict):
        kind = node.get("type")
        if kind in ("integer", "number"):
            # Without a format, some generators use 32 bits.
            node.setdefault("format", "int64" if kind == "integer" else "double")
        for name in ("minimum", "maximum"):
            if kind == "integer" and name in node:
                node[name] = max(-_INT64 - 1, min(_INT64, int(node[name])))
        for child in node.values():
            _complete_numbers(child)
    elif isinstance(node, list):
        for child in node:
            _complete_numbers(child)
