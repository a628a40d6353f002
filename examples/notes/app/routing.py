"""Routing: fast with many routers, strict about repeated query parameters."""

from collections import Counter
from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isfunction, isgeneratorfunction
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from app.logs import route_of


class Route(APIRoute):
    """A route that refuses a query parameter given more than once, unless it is a list."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Create a route."""
        super().__init__(path, _in_thread(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler in a check that is skipped for a single parameter."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if b"&" in request.scope["query_string"]:
                _refuse_repeated(request)
            return await handle(request)

        return strict


def _in_thread(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    # FastAPI would validate the response in a second thread, which costs more than the validation.
    others = (iscoroutinefunction, isgeneratorfunction, isasyncgenfunction)
    if not isfunction(endpoint) or any(is_other(endpoint) for is_other in others):
        return endpoint

    @wraps(endpoint)
    async def run(**values: Any) -> Any:
        return await run_in_threadpool(endpoint, **values)

    return run


def _refuse_repeated(request: Request) -> None:
    names = Counter(name for name, _ in request.query_params.multi_items())
    repeated = {name for name, count in names.items() if count > 1}
    if not repeated:
        return
    path: dict[str, Any] = request.app.openapi()["paths"].get(route_of(request.scope), {})
    operation = path.get(request.method.lower())
    if operation is None:
        # Only the document tells which parameters are lists.
        return
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        if any(each.get("type") == "array" for each in [schema, *schema.get("anyOf", [])]):
            repeated.discard(parameter["name"])
    errors = [
        {"type": "repeated", "loc": ("query", name), "msg": "Given more than once", "input": None}
        for name in sorted(repeated)
    ]
    if errors:
        raise RequestValidationError(errors)


class Index(APIRouter):
    """Finds the router of a path by its first segment, in constant time.

    Include only routers, no routes.
    """

    def __init__(self) -> None:
        """Create an empty index."""
        super().__init__()
        self._segments: dict[tuple[int, int], dict[str, list[Any]]] = {}
        self._key = f"index-{id(self)}"

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match only the routers that can have routes for this path."""
        match, child_scope, scope[self._key] = self._find(scope)
        return match, child_scope

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the router that was found handle the request."""
        await scope.pop(self._key).handle(scope, receive, send)

    def _get_routes_version(self, *_args: Any, **_options: Any) -> int:
        # FastAPI would ask each router on every 404, but included routers no longer change.
        return len(self.routes)

    def _find(self, scope: Scope) -> tuple[Match, Scope, Any]:
        included: Any = scope["fastapi"]["included_router"]
        key = id(included), len(self.routes)
        segments = self._segments.get(key)
        if segments is None:
            segments = self._segments[key] = {}
            for router in included.effective_candidates():
                prefix = router.include_context.prefix + router.original_router.prefix
                segment = prefix.split("/", 2)[1] if prefix else "{any}"
                segments.setdefault("{any}" if "{" in segment else segment, []).append(router)
        # The path of `OPTIONS *` has no slash.
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        segment = f"{path}/".split("/", 2)[1]
        found: tuple[Match, Scope, Any] = Match.NONE, {}, None
        for router in (*segments.get(segment, ()), *segments.get("{any}", ())):
            match, child_scope = router.matches(scope)
            if match is Match.FULL:
                return match, child_scope, router
            if match is Match.PARTIAL and found[2] is None:
                found = match, child_scope, router
        return found
