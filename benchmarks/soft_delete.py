"""What soft delete costs, against writing `where(deleted_at IS NULL)` by hand.

`uv run benchmarks/soft_delete.py` renders projects with 1, 10 and 50 resources, each in async mode
on SQLite, and measures in each of them, in one process and by turns:

- statements: the list of 20 rows, a count, a join, and `get`, through a session;
- requests: the list of 20 rows through a route, the session and the response model included.

It prints the processor time with soft delete as a multiple of that with the explicit condition, and
the latter as a multiple of itself, measured again, which is the noise.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
COUNTS = (1, 10, 50)
ROUNDS = 60
REPEATS = 20

Call = Callable[[], Awaitable[object]]


def render(count: int, folder: Path) -> None:
    """Render a project with so many resources."""
    import copier  # The rendered project does not have it.

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copier.run_copy(
            str(ROOT),
            folder,
            data={
                "mode": "async",
                "database": "sqlite",
                "soft_delete": True,
                "resources": "thing:\n  name: str(50)\n  owner: ref(thing) optional\n"
                + "".join(f"other_{n}: {{name: str(50)}}\n" for n in range(1, count)),
            },
            defaults=True,
            vcs_ref="HEAD",
            quiet=True,
        )


async def measure() -> None:
    """Measure in the project that is the working directory; print a line for each case."""
    import httpx2
    from app.db.engine import build_engine
    from app.db.models import Base, Thing
    from app.db.soft_delete import SoftDeleteSession
    from app.schemas.thing import ThingRead
    from app.settings import load_settings
    from fastapi import FastAPI
    from sqlalchemy import func, select
    from sqlalchemy.ext.asyncio import async_sessionmaker
    from sqlalchemy.orm import Session, aliased

    engine = build_engine(load_settings())
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    soft = async_sessionmaker(engine, sync_session_class=SoftDeleteSession, expire_on_commit=False)
    plain = async_sessionmaker(engine, sync_session_class=Session, expire_on_commit=False)
    async with soft() as session, session.begin():
        session.add_all(Thing(name=f"thing {n}") for n in range(100))

    def page(explicit):
        statement = select(Thing).order_by(Thing.id).limit(20)
        return statement.where(Thing.deleted_at.is_(None)) if explicit else statement

    def count(explicit):
        statement = select(func.count()).select_from(Thing)
        return statement.where(Thing.deleted_at.is_(None)) if explicit else statement

    def join(explicit):
        owner = aliased(Thing)
        on = owner.id == Thing.owner_id
        if explicit:
            on &= owner.deleted_at.is_(None)
        statement = select(Thing.id, owner.id).outerjoin(owner, on).limit(20)
        return statement.where(Thing.deleted_at.is_(None)) if explicit else statement

    def one(explicit):
        statement = select(Thing).where(Thing.id == 7)
        return statement.where(Thing.deleted_at.is_(None)) if explicit else statement

    app = FastAPI()

    @app.get("/soft", response_model=list[ThingRead])
    async def read_soft():
        async with soft() as session, session.begin():
            return (await session.scalars(page(explicit=False))).all()

    @app.get("/explicit", response_model=list[ThingRead])
    async def read_explicit():
        async with plain() as session, session.begin():
            return (await session.scalars(page(explicit=True))).all()

    transport = httpx2.ASGITransport(app)
    async with (
        soft() as soft_session,
        plain() as plain_session,
        httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
    ):

        def statement(build) -> tuple[Call, Call]:
            async def by_filter():
                (await soft_session.execute(build(explicit=False))).all()
                soft_session.expunge_all()

            async def by_hand():
                (await plain_session.execute(build(explicit=True))).all()
                plain_session.expunge_all()

            return by_filter, by_hand

        async def by_get():
            await soft_session.get(Thing, 7)
            soft_session.expunge_all()

        cases: dict[str, tuple[Call, Call]] = {
            "list": statement(page),
            "count": statement(count),
            "outer join": statement(join),
            "get": (by_get, statement(one)[1]),
            "request": (lambda: client.get("/soft"), lambda: client.get("/explicit")),
        }
        for options in (soft_session, plain_session):
            await options.connection(execution_options={"sqlite_begin": "DEFERRED"})
        for name, (by_filter, by_hand) in cases.items():
            print(name, *await compare(by_filter, by_hand), sep="\t")
    await engine.dispose()


async def compare(first: Call, second: Call) -> tuple[str, str, str]:
    """Return the time of one by that of the other, of the other by itself, and the other's."""
    times: dict[str, list[float]] = {"first": [], "second": [], "again": []}
    for _ in range(ROUNDS):
        for name, call in (("first", first), ("second", second), ("again", second)):
            start = time.process_time()
            for _ in range(REPEATS):
                await call()
            times[name].append(time.process_time() - start)
    quartiles = {name: statistics.quantiles(values)[0] for name, values in times.items()}
    ratio = quartiles["first"] / quartiles["second"]
    noise = quartiles["again"] / quartiles["second"]
    return f"{ratio:.2f}", f"{noise:.2f}", f"{quartiles['second'] / REPEATS * 1e6:.0f}"


def main() -> None:
    """Render, and measure in each project's own environment."""
    print("resources", "case", "soft / explicit", "noise", "explicit, µs", sep="\t")
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder) / "project"
            render(count, project)
            env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
            output = subprocess.run(
                ["uv", "run", "--quiet", "python", Path(__file__).resolve(), "--here"],
                cwd=project,
                env={**env, "DATABASE_URL": "sqlite:///bench.db", "PYTHONPATH": "."},
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout
        for line in output.splitlines():
            print(count, line, sep="\t")


if __name__ == "__main__":
    if "--here" in sys.argv:
        asyncio.run(measure())
    else:
        main()
