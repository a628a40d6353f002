"""The floor: the same responses by asyncpg alone, the JSON put together by hand."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from json import dumps
from typing import Annotated

import asyncpg
from fastapi import FastAPI, Query, Request, Response

POST = "p.id, p.title, p.body, p.author_id, p.created_at, p.updated_at"
USER = "u.id, u.name, u.email, u.is_active, u.created_at, u.updated_at"
READ_POST = f"SELECT {POST}, {USER} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = $1"
READ_USER = f"SELECT {USER} FROM users u WHERE u.id = $1"
POSTS_OF_USER = f"SELECT {POST} FROM posts p WHERE p.author_id = $1 ORDER BY p.id"
LIST = f"SELECT {POST} FROM posts p ORDER BY p.id LIMIT $1 OFFSET $2"
COUNT = "SELECT count(*) FROM posts"
CREATE = f"INSERT INTO posts AS p (title, body, author_id) VALUES ($1, $2, $3) RETURNING {POST}"
UPDATE = f"UPDATE posts p SET title = $2, updated_at = now() WHERE p.id = $1 RETURNING {POST}"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"].replace("+asyncpg", "")
    app.state.pool = await asyncpg.create_pool(url, min_size=10, max_size=10)
    yield


app = FastAPI(lifespan=lifespan)


def post_json(row: asyncpg.Record) -> str:
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


@app.post("/posts")
async def create_post(request: Request) -> Response:
    data = await request.json()
    row = await app.state.pool.fetchrow(CREATE, data["title"], data["body"], data["author_id"])
    return answer(post_json(row), 201)


@app.get("/posts")
async def read_posts(
    offset: int = 0,
    limit: Annotated[int, Query(le=100)] = 20,
    total: bool = False,  # noqa: FBT001, FBT002
) -> Response:
    async with app.state.pool.acquire() as connection:
        rows = await connection.fetch(LIST, limit, offset)
        count = f',"total":{await connection.fetchval(COUNT)}' if total else ""
    return answer(f'{{"items":[{",".join(map(post_json, rows))}]{count}}}')


@app.get("/posts/{post_id}")
async def read_post(post_id: int) -> Response:
    row = await app.state.pool.fetchrow(READ_POST, post_id)
    if row is None:
        return answer("{}", 404)
    return answer(f'{post_json(row)[:-1]},"author":{user_json(row[6:])}}}')


@app.patch("/posts/{post_id}")
async def update_post(post_id: int, request: Request) -> Response:
    data = await request.json()
    row = await app.state.pool.fetchrow(UPDATE, post_id, data["title"])
    return answer("{}", 404) if row is None else answer(post_json(row))


@app.get("/users/{user_id}")
async def read_user(user_id: int) -> Response:
    async with app.state.pool.acquire() as connection:
        row = await connection.fetchrow(READ_USER, user_id)
        if row is None:
            return answer("{}", 404)
        posts = await connection.fetch(POSTS_OF_USER, user_id)
    return answer(f'{user_json(row)[:-1]},"posts":[{",".join(map(post_json, posts))}]}}')
