"""Every variant passes its own checks, and shows no trace of the options that are off."""

import re
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from conftest import Environment, Render, install_packages, once
from projects import DATA, check, check_code, run, run_suite
from variants import AUTH, BACKENDS, EXAMPLES, OPEN, SPREAD, THOROUGH, VARIANTS, domain, example

every_variant = pytest.mark.parametrize("variant", VARIANTS)


def test_variants_cover_every_pair_of_answers() -> None:
    for open_ in OPEN.values():
        for question in ("mode", "soft_delete"):
            met = [each for each in VARIANTS.values() if each[question] == open_[question]]
            assert {each["auth"] for each in met} == set(AUTH)
    for backend in BACKENDS:
        met = [answers for name, answers in VARIANTS.items() if f"-{backend}" in name]
        assert {each["auth"] for each in met} == set(AUTH)
    assert {name for name, _ in SPREAD} == set(EXAMPLES)
    assert {variant for _, variant in SPREAD} == set(VARIANTS)


@pytest.mark.parametrize(("name", "variant"), SPREAD)
def test_a_variant_passes_its_own_checks(
    name: str, variant: str, render: Render, environment: Environment
) -> None:
    project = render(**example(name, variant))
    check_code(project, environment(project))
    shutil.copytree(DATA / "details", project / "tests" / "details")
    run_suite(project, environment(project))


# Accounts that are deleted with deep references, and with references from shared rows.
DELETED = [("91-deep", "sync-sqlite-tokens"), ("94-access", "async-postgresql-tokens")]


@pytest.mark.parametrize(("name", "variant"), DELETED)
def test_accounts_and_access_with_unlike_tables(
    name: str, variant: str, render: Render, environment: Environment
) -> None:
    project = render(**example(name, variant))
    suite = ["tests/test_accounts.py", "tests/test_access.py", "tests/test_migrations.py"]
    check(project, environment(project), *suite)


WITHOUT_RESOURCES = (
    list(product(("async", "sync"), AUTH)) if THOROUGH else [("async", "oidc"), ("sync", "none")]
)


@pytest.mark.parametrize(("mode", "auth"), WITHOUT_RESOURCES)
def test_a_project_without_resources_passes_its_own_checks(
    mode: str, auth: str, render: Render, environment: Environment
) -> None:
    project = render(resources="", mode=mode, auth=auth)
    check(project, environment(project))


def files(project: Path) -> dict[str, str]:
    """Return the text of all files by their path."""
    return {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(project.rglob("*"))
        if path.is_file() and path.name != "uv.lock"
    }


NO_ACCOUNTS = (
    r"\bauth\b|\baccounts?\b|\btokens?\b|oidc|owner_id|\bowners\b|sign.?in\b|sign.?up\b|bearer"
    r"|argon|pwdlib|jwt|db.scope|ScopedSession|unauthenticated|not-owner|_access:"
)
TRACES: list[tuple[str, Any, str]] = [
    ("auth", "none", NO_ACCOUNTS),
    ("auth", "tokens", r"oidc|openid|issuer|jwk|jwt|audience"),
    (
        "auth",
        "oidc",
        r"pwdlib|argon|password_hash|failed_sign_ins\b|open_sign_up|token_days|class Token\b",
    ),
    ("pgbouncer", False, r"pgbouncer|MIGRATIONS_DATABASE"),
    ("kubernetes", False, r"kubernetes|kubectl|kustom"),
    (
        "soft_delete",
        False,
        r"soft.?delete|deleted_at|tombstone|purge|restore|include_deleted|hidden.?row",
    ),
    ("database", "sqlite", r"postgres|psycopg|asyncpg|sqlstate|jsonb"),
    ("database", "postgresql", r"sqlite|pragma"),
    ("mode", "async", r"(?<!async_)sessionmaker\[|TestClient"),
    ("mode", "sync", r"await session|await crud|async_sessionmaker|AsyncSession|asyncpg"),
]


@every_variant
def test_disabled_options_leave_no_trace(variant: str, rendered: Render) -> None:
    answers = {"pgbouncer": False, "kubernetes": False, **VARIANTS[variant]}
    for path, text in files(rendered(**VARIANTS[variant])).items():
        if path in {".copier-answers.yml", ".gitignore"}:
            continue
        for question, value, words in TRACES:
            # A pooler is detected in any project, and the answer that it needs is named.
            if question == "pgbouncer" and path in {"app/db/engine.py", "app/settings.py"}:
                continue
            if answers[question] == value:
                found = re.search(words, f"{path}\n{text}", re.IGNORECASE)
                assert not found, f"{path}: {found[0]}"


@every_variant
def test_conditions_leave_no_scars(variant: str, rendered: Render) -> None:
    for path, text in files(rendered(**VARIANTS[variant])).items():
        assert not re.search(r"\{%|%\}|\{#|#\}", text), path
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), f"{path}: blanks at a line's end"
        assert not re.search(r"\n\n\n\n|\A\n|\n\n\Z", text), f"{path}: blank lines"
        assert text.endswith("\n") or not text, f"{path}: no end of line"
        if path.endswith(".md"):
            text = re.sub(r"^```.*?^```", "code", text, flags=re.MULTILINE | re.DOTALL)  # noqa: PLW2901
        if not path.endswith((".py", ".mako")):
            assert "\n\n\n" not in text, f"{path}: blank lines"


SYNC_WORDS = [
    (r"session\.run_sync\(\s*(rows\.\w+),", r"\1(session,"),
    (r"\bawait ", ""),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bAsyncSession\b", "Session"),
    (r"sqlalchemy\.ext\.asyncio import Session", "sqlalchemy.orm import Session"),
    (r"httpx2\.AsyncClient", "TestClient"),
    (r"import httpx2\n", ""),
    (r"from fastapi\.testclient import TestClient\n", ""),
]


def as_sync(text: str) -> list[str]:
    """Return the lines of a file as the sync mode writes them, whatever their order and breaks."""
    for pattern, replacement in SYNC_WORDS:
        text = re.sub(pattern, replacement, text)
    imports = re.findall(r"^from sqlalchemy.*$", text, re.MULTILINE)
    names = sorted({name for line in imports for name in re.split(r"\W+", line)})
    text = re.sub(r"^from sqlalchemy.*\n", "", text, flags=re.MULTILINE)
    return [*names, re.sub(r"[()\s,]", "", text)]


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_async_and_sync_differ_only_in_that(backend: str, rendered: Render) -> None:
    asynchronous = files(rendered(mode="async", **BACKENDS[backend]))
    synchronous = files(rendered(mode="sync", **BACKENDS[backend]))
    assert asynchronous.keys() == synchronous.keys()
    layers = ("app/crud/", "app/db/models/", "app/enums/", "app/schemas/", "app/routers/")
    tests = ("tests/routers/", "tests/factories/", "migrations/versions/")
    for path, text in asynchronous.items():
        if path.startswith((*layers, *tests)) and path != "app/crud/rows.py":
            assert as_sync(text) == as_sync(synchronous[path]), path


@pytest.mark.parametrize(
    ("version", "answers"),
    [
        ("3.12", {}),
        ("3.13", {"mode": "sync", "auth": "tokens", "pgbouncer": True}),
        ("3.14", {"soft_delete": True, "pgbouncer": True}),
        ("3.14", {"auth": "oidc"}),
        ("3.14", {"mode": "sync", "auth": "tokens", "database": "sqlite", "soft_delete": True}),
    ],
)
def test_later_python_passes_the_linter(
    version: str, answers: dict[str, Any], render: Render, environment: Environment
) -> None:
    tools = environment(render("with-this-python")).parent
    texts = {"project_name": " Anna’s Shop", "project_description": "Boxes, 5–10 × Größe"}  # noqa: RUF001
    tables = {"resources": domain("12-hr-leave")}
    project = render(**tables, python_version=version, **texts, **answers)
    run([str(tools / "ruff"), "format", "--check", "--quiet", "."], project)
    run([str(tools / "ruff"), "check", "--quiet", "."], project)


@pytest.mark.parametrize(
    "answers",
    [
        {"mode": "async", "auth": "tokens", "resources": "note:\n  title: str(100)"},
        {"mode": "sync", "auth": "oidc", "resources": "note:\n  title: str(100)"},
    ],
)
def test_suite_passes_with_the_oldest_packages_in_reverse_order(
    answers: dict[str, Any], render: Render
) -> None:
    project = render(**answers)
    # Outside pytest's folder, which every other run of pytest closes to PostgreSQL's user.
    with once(f"environments/oldest-{answers['mode']}") as (folder, _):
        install_packages(project, folder, "--resolution=lowest-direct")
    run([str(folder / "bin" / "mypy")], project)
    shutil.copy(DATA / "reversed_order.py", project)
    run_suite(project, folder / "bin" / "python", "-p", "reversed_order")
