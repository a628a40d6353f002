"""One read of a rendered project in steps, each with one thing more: where its time goes."""

from typing import Any

from app.db import models
from app.db.session import ReadSessionDep
from app.main import create_app as create_project
from app.schemas.details.post import PostDetail
from fastapi import Response
from raw_async import READ_POST
from sqlalchemy.orm import joinedload

ANSWER = b'{"title":"Post"}' + b" " * 400
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]


def create_app() -> Any:
    """Create the project's application, and a route for each step."""
    project = create_project()
    kept: dict[str, models.Post] = {}

    async def in_fastapi() -> Response:
        return Response(ANSWER, media_type="application/json")

    async def with_model() -> models.Post:
        return kept["post"]

    async def with_session(_session: ReadSessionDep) -> models.Post:
        return kept["post"]

    async def with_connection(session: ReadSessionDep) -> models.Post:
        await session.connection()
        return kept["post"]

    async def with_driver(session: ReadSessionDep) -> models.Post:
        connection = await session.connection()
        (await connection.exec_driver_sql(READ_POST, (1,))).all()
        return kept["post"]

    async def keep(session: ReadSessionDep) -> None:
        kept["post"] = await session.get_one(
            models.Post, 1, options=[joinedload(models.Post.author)]
        )

    project.get("/in-fastapi")(in_fastapi)
    project.get("/keep")(keep)
    for route in (with_model, with_session, with_connection, with_driver):
        path = f"/{route.__name__.replace('_', '-')}"
        project.get(path, response_model=PostDetail)(route)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") == "/bare":
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await send({"type": "http.response.body", "body": ANSWER})
        else:
            await project(scope, receive, send)

    return app
