"""Without a valid token nothing is done, in whatever way the route gets its session."""

from contextvars import ContextVar
from typing import Annotated, Any

import pytest
import sqlalchemy as sa
from app.db.scope import scope_of
from app.db.session import PublicReadSessionDep, ReadSessionDep, SessionDep, get_read_db
from app.routing import Index, Route
from fastapi import APIRouter, Depends, FastAPI

from .conftest import ASYNC, Client, World

done: list[Any] = []
entered = ContextVar("entered", default=False)
router = APIRouter(prefix="/own", route_class=Route)
# Its dependency is added where it is included.
included = APIRouter(prefix="/included", route_class=Route)


def act() -> None:
    """Do something, with or without an account."""
    done.append("dependency")


def act_for_account(session: ReadSessionDep) -> None:
    """Do something for the account of the session."""
    done.append(("dependency", scope_of(session).account_id))


AfterDep = Annotated[None, Depends(act)]
AccountDep = Annotated[None, Depends(act_for_account)]


@router.get("/read")
def _read(session: ReadSessionDep) -> int | None:
    done.append("read")
    return scope_of(session).account_id


@router.get("/public")
def _public(session: PublicReadSessionDep) -> int | None:
    done.append("public")
    return scope_of(session).account_id


@router.post("/write")
def _write(number: int, session: SessionDep) -> int | None:
    done.append(number)
    return scope_of(session).account_id


@router.get("/thread")
def _thread(session: ReadSessionDep) -> None:
    done.append(entered.get())


@router.get("/await")
async def _await(session: ReadSessionDep) -> int | None:
    done.append("await")
    return scope_of(session).account_id


@router.get("/after")
def _after(session: ReadSessionDep, _after: AfterDep) -> int | None:
    done.append("after")
    return scope_of(session).account_id


@router.get("/before")
def _before(_before: AccountDep, session: ReadSessionDep) -> int | None:
    done.append("before")
    return scope_of(session).account_id


@router.get("/beside", dependencies=[Depends(act_for_account)])
def _beside(session: ReadSessionDep) -> int | None:
    done.append("beside")
    return scope_of(session).account_id


@router.get("/without", dependencies=[Depends(get_read_db, scope="function")])
def _without() -> None:
    done.append("without")


@included.get("/account")
def _account(session: ReadSessionDep) -> int | None:
    done.append("account")
    return scope_of(session).account_id


ROUTES = {
    "read": ("GET", "/own/read"),
    "public": ("GET", "/own/public"),
    "write": ("POST", "/own/write?number=1"),
    "await": ("GET", "/own/await"),
    "after": ("GET", "/own/after"),
    "before": ("GET", "/own/before"),
    "beside": ("GET", "/own/beside"),
    "without": ("GET", "/own/without"),
    "included": ("GET", "/included/account"),
}


@pytest.fixture(autouse=True)
def _routes(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.router, "routes", [*app.router.routes])
    index = Index()
    index.include_router(router)
    index.include_router(included, dependencies=[Depends(act_for_account)])
    app.include_router(index)
    done.clear()


INVALID = {"headers": {"Authorization": f"Bearer {'x' * 43}"}}


@pytest.mark.parametrize("name", ROUTES)
def test_route_acts_for_the_account(name: str, me: Client, world: World) -> None:
    method, url = ROUTES[name]
    response = me.send(method, url)
    assert response.status_code == 200
    account_id = world.mine.info["scope"].account_id
    assert response.json() == (None if name == "without" else account_id)
    assert done
    assert {each[1] for each in done if isinstance(each, tuple)} <= {account_id}


@pytest.mark.parametrize("name", ROUTES)
def test_nothing_is_done_without_a_valid_token(name: str, me: Client, nobody: Client) -> None:
    method, url = ROUTES[name]
    assert me.send(method, url, **INVALID).status_code == 401
    if name != "public":
        assert nobody.send(method, url).status_code == 401
    assert not done


def test_token_is_checked_before_parameters(me: Client, nobody: Client) -> None:
    assert me.send("POST", "/own/write?number=x", **INVALID).status_code == 401
    assert nobody.send("POST", "/own/write?number=x").status_code == 401
    assert me.send("POST", "/own/write?number=x").status_code == 422
    for url in "/notes?limit=x", "/articles?limit=x":
        assert me.send("GET", url, **INVALID).status_code == 401
        assert me.send("GET", url).status_code == 422
    assert not done


if not ASYNC:

    @pytest.mark.parametrize("url", ["/own/thread", "/notes", "/articles/{}"])
    def test_token_is_checked_in_the_thread_of_the_route(
        url: str, world: World, me: Client, engine: Any
    ) -> None:
        # Each call in a thread has a context of its own. A second one would double the cost.
        def enter(_connection: Any, _cursor: Any, statement: str, *_args: Any) -> None:
            if statement.startswith("SELECT"):
                done.append(entered.get())
                entered.set(True)

        sa.event.listen(engine, "before_cursor_execute", enter)
        try:
            assert me.send("GET", url.format(world.own.article)).status_code == 200
        finally:
            sa.event.remove(engine, "before_cursor_execute", enter)
        assert len(done) > 1
        assert done.count(False) == 1
