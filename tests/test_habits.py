"""Stricter lint rules, Pyright, pre-commit hooks and line endings."""

import sys

import pytest

from conftest import Environment, Render, once
from projects import git, run
from updating import commit
from variants import THOROUGH, VARIANTS

# Rules that a project's code may break, with the reason.
IGNORED = {
    "ANN401": "some library APIs are untyped",
    "ARG001": "fixtures and handlers take what they are given",
    "ARG002": "overrides keep the parameters of the base class",
    "COM812": "handled by the formatter",
    "CPY": "no copyright notice in each file",
    "D203": "contradicts D211",
    "D213": "contradicts D212",
    "E501": "handled by the formatter",
    "FBT002": "query parameters are booleans",
    "PLR0911": "a function may be a list of cases",
    "PLC0415": "dev.py imports the application only where it is needed",
    "PLR2004": "a bound that is named by its field needs no second name",
    "RUF022": "`__all__` is generated first, then appended to",
    "RUF100": "suppressed rules may be selected here only",
    "S603": "tests and dev.py run programs",
    "T201": "dev.py prints",
    "TC": "annotations are needed at run time",
    "TRY004": "validators raise ValueError",
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_code_passes_stricter_rules_than_it_selects(
    variant: str, render: Render, environment: Environment
) -> None:
    project = render(**VARIANTS[variant])
    ruff = str(environment(project).parent / "ruff")
    ignored = ["--ignore", ",".join(IGNORED)]
    kept = [
        "tests/*:A002",
        "tests/*:D",
        "tests/*:S",
        "migrations/*:S608",
        "migrations/versions/*:ERA001",
        "migrations/versions/*:F401",
        "migrations/versions/*:INP001",
        "migrations/versions/*:PLR0915",
    ]
    exceptions = [word for entry in kept for word in ("--per-file-ignores", entry)]
    run([ruff, "check", "--quiet", "--select", "ALL", *ignored, *exceptions, "."], project)


@pytest.mark.parametrize("variant", [*VARIANTS][:: 1 if THOROUGH else 3])
def test_pyright_finds_no_errors(variant: str, render: Render, environment: Environment) -> None:
    project = render(**VARIANTS[variant])
    # Many editors show its errors: Pylance is based on it.
    pyright = [sys.executable, "-m", "pyright"]
    with once("pyright") as (_, is_new):
        if is_new:
            # The first run downloads the checker itself.
            run([*pyright, "--version"], project)
    run([*pyright, "--pythonpath", str(environment(project))], project)


def test_hooks_pass(render: Render) -> None:
    project = render(mode="sync", database="sqlite")
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    run(["uv", "run", "--quiet", "pre-commit", "run", "--all-files"], project)


def test_line_endings_are_the_same_on_every_system(render: Render) -> None:
    project = commit(render())
    main = project / "app" / "main.py"
    main.unlink()
    git(project, "-c", "core.autocrlf=true", "checkout", "--", "app/main.py")
    assert b"\r" not in main.read_bytes()
