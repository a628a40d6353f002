"""Commands, git and the checks of a rendered project."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"

# Git as if unconfigured.
GIT_ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}


def run(command: list[str], cwd: Path, given: str | None = None, **env: str) -> str:
    """Run a command, with a text on its standard input; return its output, or fail with it."""
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **env},
        check=False,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode:
        pytest.fail(f"{' '.join(command)} in {cwd}:\n{result.stdout[-6000:]}", pytrace=False)
    return result.stdout


def git(folder: Path, *args: str) -> str:
    """Run git in a folder and return its output."""
    return subprocess.run(
        ["git", *args],
        cwd=folder,
        env={**os.environ, **GIT_ENV},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def questions() -> set[str]:
    """Return the names of all questions that are asked."""
    settings = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {
        name
        for name, question in settings.items()
        if not name.startswith("_") and question.get("when") is not False
    }


# The part of this repository that Copier reads.
TEMPLATE = ("copier.yml", "hooks", "template")


def commit_working_tree(folder: Path, tag: str, *paths: str) -> Path:
    """Copy the working tree, uncommitted changes included, to a new repository and tag it.

    Copies only `paths`, if given: each update checks the repository out five times.
    """
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z", *paths)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", tag)
    git(folder, "tag", tag)
    return folder


def check_code(project: Path, python: Path) -> None:
    """Check formatting, lint rules and types, as the project's CI does."""
    tools = python.parent
    run([str(tools / "ruff"), "format", "--check", "--quiet", "."], project)
    run([str(tools / "ruff"), "check", "--quiet", "."], project)
    # With all packages that any project has, so that one cache serves all projects of a worker.
    everything = tools.parent.with_name("everything")
    cache = everything / f"mypy-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    packages = f"--python-executable={everything / 'bin' / 'python'}"
    run([str(tools / "mypy"), packages, f"--cache-dir={cache}"], project)


def run_suite(project: Path, python: Path, *args: str) -> None:
    """Run the project's tests; in CI none may be skipped."""
    output = run([str(python), "-m", "pytest", "-q", *args], project)
    if os.environ.get("CI"):
        assert "skipped" not in output, output[-3000:]


def check(project: Path, python: Path, *suite: str) -> None:
    """Run everything the project's CI runs."""
    check_code(project, python)
    run_suite(project, python, *suite)
