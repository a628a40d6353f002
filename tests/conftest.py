"""Projects rendered from this template, and environments to run them in.

Everything is rendered from a clone of the working tree, committed and tagged, because Copier can
update only a project that came from a commit. Each set of answers is rendered once; a test gets a
copy of its own.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_copie.plugin import Copie

ROOT = Path(__file__).parent.parent
DOMAINS = Path(__file__).parent / "data" / "domains"

# Git as on a machine without settings of its own.
GIT_ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}


def git(folder: Path, *args: str) -> str:
    """Run git in a folder; return what it prints."""
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


def commit_working_tree(folder: Path, tag: str) -> Path:
    """Put the working tree, with what is not committed yet, into a repository of its own."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
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


@pytest.fixture(scope="session", autouse=True)
def _plain_git() -> Any:
    """Let Copier's git, too, depend on nothing of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in GIT_ENV.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a clone of the working tree, committed and tagged as a release."""
    return commit_working_tree(tmp_path_factory.mktemp("template"), "v0.1.0")


Render = Callable[..., Path]


@pytest.fixture(scope="session")
def rendered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render a set of answers, once; the result is shared and must not be changed."""
    copie = Copie(template, tmp_path_factory.mktemp("rendered"), Path(os.devnull))
    seen: dict[str, Path] = {}

    def render(**answers: Any) -> Path:
        unknown = answers.keys() - questions()
        assert not unknown, f"no question is called {unknown}"
        key = repr(sorted(answers.items()))
        if key not in seen:
            result = copie.copy(extra_answers=answers)
            if result.exception:
                raise result.exception
            assert result.project_dir
            seen[key] = result.project_dir
        return seen[key]

    return render


@pytest.fixture
def render(rendered: Render, tmp_path: Path) -> Render:
    """Render a set of answers into a folder of the test's own."""

    def copy(name: str = "project", **answers: Any) -> Path:
        return shutil.copytree(rendered(**answers), tmp_path / name)

    return copy


@pytest.fixture(scope="session")
def environment() -> Iterator[Callable[[Path], Path]]:
    """Install what a project needs, once for each set of dependencies; return the Python."""
    seen: dict[str, Path] = {}
    # Not below pytest's folder, which is closed to the user that the throwaway PostgreSQL runs as.
    temporary = tempfile.TemporaryDirectory(prefix="environments-")

    def install(project: Path) -> Path:
        text = (project / "pyproject.toml").read_text(encoding="utf-8")
        needs = [
            line for line in text.splitlines() if line.startswith(('    "', "requires-python"))
        ]
        key = hashlib.sha256("\n".join(needs).encode()).hexdigest()
        if key not in seen:
            folder = Path(temporary.name) / key[:8]
            run(
                ["uv", "sync", "--quiet", "--project", str(project)],
                cwd=project,
                UV_PROJECT_ENVIRONMENT=str(folder),
                UV_PYTHON=sys.executable,
            )
            (project / "uv.lock").unlink()
            seen[key] = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        return seen[key]

    with temporary:
        yield install


def run(command: list[str], cwd: Path, **env: str) -> str:
    """Run a command; return all it printed, or fail with it."""
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **env},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode:
        pytest.fail(f"{' '.join(command)} in {cwd}:\n{result.stdout[-6000:]}", pytrace=False)
    return result.stdout
