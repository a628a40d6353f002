"""Run Alembic and SQL for tests, in forks of one process, because its imports take long.

Requests come as lines of JSON on standard input, answers go to standard output.
"""

import json
import os
import sys
import tempfile
import traceback

import alembic.config
import psycopg
import pydantic_settings  # noqa: F401
import sqlalchemy.orm  # noqa: F401


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
            with psycopg.connect(request["url"], autocommit=True) as connection:
                for statement in request["sql"]:
                    cursor = connection.execute(statement)
                    rows = cursor.fetchall() if cursor.description else []
            answer = {"ok": True, "output": rows}
        except psycopg.Error as error:
            answer = {"ok": False, "output": str(error)}
    print(json.dumps(answer, default=str), flush=True)
