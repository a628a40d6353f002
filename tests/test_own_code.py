"""Code of the owner's own, at the lines that invite it, works and passes the project's checks."""

from conftest import Environment, Render
from databases import Database
from projects import check, run
from updating import append, edit, invite

RESOURCES = """\
team: {name: str(40) unique index}
player: {team: ref(team) on_delete=cascade as=players, name: str(40)}
"""
PARTS: dict[str, list[tuple[int, str]]] = {
    "app/db/models/team.py": [
        (
            1,
            """\
    kind: Mapped[str] = mapped_column("type", sa.String(10), server_default="home")
    bench: Mapped[int] = mapped_column(server_default="10")
    pause: Mapped[dt.timedelta | None]
    code: Mapped[uuid.UUID | None] = mapped_column(Code)
    words: Mapped[list[str] | None] = mapped_column(Words)

    @property
    def label(self) -> str:
        \"\"\"The name and the kind.\"\"\"
        return f"{self.name}, {self.kind}"
""",
        )
    ],
    "app/schemas/team.py": [
        (
            3,
            """\
    bench: int | None = None
    kind: str | None = None
""",
        ),
        (2, "    kind: str\n    bench: int\n    label: str\n"),
        (1, '    kind: Literal["away", "home"] = ABSENT\n    bench: Bench = ABSENT\n'),
        (0, '    kind: Literal["away"] | Literal["home"] = "home"\n    bench: Bench\n'),
    ],
    "tests/factories/team.py": [(0, '        "bench": 10 + n,\n')],
    "app/settings.py": [
        (
            0,
            """
    s3_bucket: str = Field(default="uploads", description="Bucket of the uploads")

    @model_validator(mode="after")
    def _check_bucket(self) -> Self:
        if self.s3_bucket == self.host:
            msg = "S3_BUCKET is the same as HOST"
            raise ValueError(msg)
        return self
""",
        )
    ],
}
TYPES = '''

class Code(sa.TypeDecorator[uuid.UUID]):
    """A UUID, in PostgreSQL's own type."""

    impl = sa.CHAR(32)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Return the type of the column."""
        own = pg.UUID() if dialect.name == "postgresql" else sa.CHAR(32)
        return dialect.type_descriptor(own)


class Words(sa.TypeDecorator[list[str]]):
    """A list of words."""

    impl = pg.ARRAY(sa.Text)
    cache_ok = True


class Team(Base):'''
REPORT = '''

class Length(Base):
    """A report, which is no table."""

    __table__ = sa.select(
        Team.id, Team.created_at, Team.updated_at, sa.func.length(Team.name).label("length")
    ).subquery("lengths")
    __mapper_args__ = {"primary_key": [__table__.c.id]}
'''
TESTS = '''"""Tests of the owner's own code."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.settings import load_settings
from tests.factories.team import make


def test_filters(client: TestClient, session: Session) -> None:
    team = make(session, kind="away", bench=11)
    make(session, bench=11)
    make(session, kind="away", bench=12)
    found = client.get("/teams?bench=11&kind=away").json()["items"]
    assert [item["id"] for item in found] == [team.id]
    assert found[0]["label"] == f"{team.name}, away"


def test_duplicate(client: TestClient, session: Session) -> None:
    team = make(session)
    response = client.post("/teams", json={"name": team.name, "bench": 10})
    assert response.status_code == 409
    assert response.json()["detail"] == "A team with this name already exists."


def test_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@h/db")
    monkeypatch.setenv("S3_BUCKET", "127.0.0.1")
    with pytest.raises(SystemExit, match="S3_BUCKET is the same as HOST"):
        load_settings()
'''


def test_own_columns_types_filters_and_settings(render: Render, environment: Environment) -> None:
    project = render(mode="sync", resources=RESOURCES)
    for path, parts in PARTS.items():
        for number, text in parts:
            invite(project, path, number, text)
    edit(
        project,
        "app/db/models/team.py",
        (
            "from typing import TYPE_CHECKING",
            "import datetime as dt\nimport uuid\nfrom typing import TYPE_CHECKING, Any",
        ),
        (
            "import sqlalchemy as sa\n",
            "import sqlalchemy as sa\nfrom sqlalchemy.dialects import postgresql as pg\n",
        ),
        ("\n\nclass Team(Base):", TYPES),
    )
    append(project, "app/db/models/team.py", REPORT)
    edit(
        project,
        "app/schemas/team.py",
        (
            "\n\nclass TeamCreate",
            "\nBench = Annotated[StrictInt32, Field(ge=10)]\n\n\nclass TeamCreate",
        ),
        (
            "from annotated_types import MaxLen\n",
            "from annotated_types import MaxLen\nfrom pydantic import Field\n",
        ),
        ("NonBlank, Text", "NonBlank, StrictInt32, Text"),
    )
    edit(
        project,
        "app/settings.py",
        ("Any, Literal", "Any, Literal, Self"),
        ("ValidationError\n", "ValidationError, model_validator\n"),
    )
    append(project, "docs/settings.md", "| `S3_BUCKET` | `uploads` | Bucket of the uploads |\n")
    (project / "tests" / "test_own.py").write_text(TESTS, encoding="utf-8")
    python = environment(project)
    revision = Database(project, python, "").write_revision("Own columns")
    for column in ("sa.Interval()", "sa.UUID()", "postgresql.ARRAY(sa.Text())"):
        assert column in revision
    ruff = str(python.parent / "ruff")
    run([ruff, "format", "--quiet", "."], project)
    check(project, python)
