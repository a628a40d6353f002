"""The floor: the same responses by psycopg alone, the JSON put together by hand."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from queue import SimpleQueue
from typing import Annotated, Any

import psycopg
from fastapi import Body, FastAPI, Query, Response

POST = "p.id, p.title, p.body, p.author_id, p.created_at, p.updated_at"
USER = "u.id, u.name, u.email, u.is_active, u.created_at, u.updated_at"
READ_POST = f"SELECT {POST}, {USER} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = %s"
READ_USER = f"SELECT {USER} FROM users u WHERE u.id = %s"
POSTS_OF_USER = f"SELECT {POST} FROM posts p WHERE p.author_id = %s ORDER BY p.id"
LIST = f"SELECT {POST} FROM posts p ORDER BY p.id LIMIT %s OFFSET %s"
COUNT = "SELECT count(*) FROM posts"
CREATE = f"INSERT INTO posts AS p (title, body, author_id) VALUES (%s, %s, %s) RETURNING {POST}"
UPDATE = f"UPDATE posts p SET title = %s, updated_at = now() WHERE p.id = %s RETURNING {POST}"


# Ten connections, opened as they are needed; a queue is the cheapest pool there is.
connections: SimpleQueue[psycopg.Connection | None] = SimpleQueue()
for _ in range(10):
    connections.put(None)


@contextmanager
def acquire() -> Iterator[psycopg.Connection]:
    connection = connections.get()
    try:
        if connection is None:
            url = os.environ["DATABASE_URL"].replace("+psycopg", "")
            connection = psycopg.connect(url, autocommit=True)
        yield connection
    finally:
        connections.put(connection)


app = FastAPI()


def post_json(row: tuple) -> str:
    return (
        f'{{"id":{row[0]},"title":{dumps(row[1])},"body":{dumps(row[2])},"author_id":{row[3]},'
        f'"created_at":"{row[4].isoformat()}","updated_at":"{row[5].isoformat()}"}}'
    )


def user_json(row: tuple) -> str:
    return (
        f'{{"id":{row[0]},"name":{dumps(row[1])},"email":{dumps(row[2])},'
        f'"is_active":{"true" if row[3] else "false"},'
        f'"created_at":"{row[4].isoformat()}","updated_at":"{row[5].isoformat()}"}}'
    )


def answer(content: str, status: int = 200) -> Response:
    return Response(content, status, media_type="application/json")


Data = Annotated[dict[str, Any], Body()]


@app.post("/posts")
def create_post(data: Data) -> Response:
    with acquire() as connection:
        row = connection.execute(
            CREATE, (data["title"], data["body"], data["author_id"])
        ).fetchone()
    return answer(post_json(row), 201)


@app.get("/posts")
def read_posts(
    offset: int = 0,
    limit: Annotated[int, Query(le=100)] = 20,
    total: bool = False,  # noqa: FBT001, FBT002
) -> Response:
    with acquire() as connection:
        rows = connection.execute(LIST, (limit, offset)).fetchall()
        count = f',"total":{connection.execute(COUNT).fetchone()[0]}' if total else ""
    return answer(f'{{"items":[{",".join(map(post_json, rows))}]{count}}}')


@app.get("/posts/{post_id}")
def read_post(post_id: int) -> Response:
    with acquire() as connection:
        row = connection.execute(READ_POST, (post_id,)).fetchone()
    if row is None:
        return answer("{}", 404)
    return answer(f'{post_json(row)[:-1]},"author":{user_json(row[6:])}}}')


@app.patch("/posts/{post_id}")
def update_post(post_id: int, data: Data) -> Response:
    with acquire() as connection:
        row = connection.execute(UPDATE, (data["title"], post_id)).fetchone()
    return answer("{}", 404) if row is None else answer(post_json(row))


@app.get("/users/{user_id}")
def read_user(user_id: int) -> Response:
    with acquire() as connection:
        row = connection.execute(READ_USER, (user_id,)).fetchone()
        if row is None:
            return answer("{}", 404)
        posts = connection.execute(POSTS_OF_USER, (user_id,)).fetchall()
    return answer(f'{user_json(row)[:-1]},"posts":[{",".join(map(post_json, posts))}]}}')
