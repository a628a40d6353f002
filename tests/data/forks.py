"""Run Alembic and SQL for tests, in forks of one process, because its imports take long.

Requests come as lines of JSON on standard input, answers go to standard output.
"""

import asyncio
import json
import os
import sys
import tempfile
import traceback
from contextlib import suppress

import alembic.config
import pydantic_settings  # noqa: F401

# What there is depends on the project.
psycopg = None
with suppress(ImportError):
    import psycopg
with suppress(ImportError):
    import asyncpg
    import sqlalchemy.ext.asyncio  # noqa: F401


def run(request: dict, output: int) -> None:
    """Run Alembic in this process, a fork, and end it."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(request["project"])
    os.environ |= request["env"]
    sys.path.insert(0, request["project"])
    code = 1
    try:
        alembic.config.main(request["alembic"])
        code = 0
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def fetch(url: str, statements: list[str]) -> list[list]:
    """Run statements by asyncpg; return the rows of the last."""
    connection = await asyncpg.connect(url)
    for statement in statements:
        rows = await connection.fetch(statement)
    await connection.close()
    return [list(row) for row in rows]


def sql(url: str, statements: list[str]) -> list[list]:
    """Run statements, each in a transaction of its own; return the rows of the last."""
    if psycopg is None:
        return asyncio.run(fetch(url, statements))
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        return rows


for line in sys.stdin:
    request = json.loads(line)
    if "alembic" in request:
        with tempfile.TemporaryFile("w+") as output:
            if not (child := os.fork()):
                run(request, output.fileno())
            _, status = os.waitpid(child, 0)
            output.seek(0)
            answer = {"ok": status == 0, "output": output.read()}
    else:
        try:
            answer = {"ok": True, "output": sql(request["url"], request["sql"])}
        except Exception as error:  # noqa: BLE001
            answer = {"ok": False, "output": str(error)}
    print(json.dumps(answer, default=str), flush=True)
