"""Projects rendered from this template, and virtual environments to run them in.

Everything is rendered from a commit of the working tree's template, because Copier can only update
projects that came from a commit. Each set of answers is rendered once, and each set of
dependencies installed once, for all workers; a test gets a copy of its own.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import copier
import jinja2
import pytest

from databases import Database, end_forks, postgres
from projects import GIT_ENV, TEMPLATE, commit_working_tree, questions, run
from variants import VARIANTS

Render = Callable[..., Path]
Environment = Callable[[Path], Path]
OpenDatabase = Callable[..., Database]

SHARED = "TEMPLATE_TESTS_SHARED"
_shared = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Create the folder that all workers share.

    It is not below pytest's own folder, which is closed to the user that PostgreSQL runs as.
    """
    if not hasattr(config, "workerinput"):
        # Containers often disable bytecode caching; every subprocess would recompile all packages.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        folder = tempfile.TemporaryDirectory(prefix="template-", ignore_cleanup_errors=True)
        Path(folder.name).chmod(0o755)
        config.stash[_shared] = folder
        os.environ[SHARED] = folder.name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the shared folder."""
    if folder := config.stash.get(_shared, None):
        folder.cleanup()


@contextmanager
def once(name: str) -> Iterator[tuple[Path, bool]]:
    """Yield a shared folder, and whether it has yet to be filled; other workers wait."""
    folder = Path(os.environ[SHARED]) / name
    folder.parent.mkdir(exist_ok=True)
    done = folder.with_name(f"{folder.name}.done")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            yield folder, False
        else:
            shutil.rmtree(folder, ignore_errors=True)
            yield folder, True
            done.touch()


def digest(*parts: str) -> str:
    """Return a short name for these texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


@pytest.fixture(scope="session", autouse=True)
def _plain_git() -> Iterator[None]:
    """Isolate Copier's git from the configuration of this machine, too."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in GIT_ENV.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def _compile_once() -> Iterator[None]:
    """Compile each template once: Copier does so again for each copy, three times for an update."""
    compile_ = jinja2.Environment.compile
    compiled: dict[tuple[object, ...], Any] = {}

    # The file's name, which Copier's clones change, is only for tracebacks.
    def compile_once(
        self: jinja2.Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        **options: Any,
    ) -> Any:
        # Whether a filter exists is decided when a template is compiled.
        key = (type(self), frozenset(self.filters), source, name, *sorted(options.items()))
        if key not in compiled:
            compiled[key] = compile_(self, source, name, filename, **options)
        elif isinstance(source, str):
            # Copier's extension for loops in file names starts anew here.
            self.preprocess(source, name, filename)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _skip_file_modes() -> Iterator[None]:
    """Skip a git process per rendered file, needed only on systems without executable bits."""
    with pytest.MonkeyPatch.context() as patch:
        method = "copier._main.Worker._sync_git_index_executable_bit"
        patch.setattr(method, lambda *_: None, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _provider() -> Iterator[None]:
    """Set what projects with an identity provider require; others ignore it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OIDC_ISSUER", "http://localhost:9")
        patch.setenv("OIDC_AUDIENCE", "test")
        yield


@pytest.fixture(scope="session", autouse=True)
def _folder_of_suites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the projects' suites a separate folder: pytest closes its own to other users.

    PostgreSQL, which must not run as root, may be running from this one.
    """
    tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DEBUG_TEMPROOT", os.environ[SHARED])
        yield


@pytest.fixture(scope="session", autouse=True)
def _forks() -> Iterator[None]:
    """End the processes that ran Alembic."""
    yield
    end_forks()


@pytest.fixture(scope="session")
def template() -> Path:
    """Return a repository that contains the current template, tagged as a release."""
    with once("template") as (folder, is_new):
        if is_new:
            folder.mkdir()
            commit_working_tree(folder, "v0.1.0", *TEMPLATE)
    return folder


@pytest.fixture(scope="session")
def rendered(template: Path) -> Render:
    """Render a set of answers, once; the result is shared and must not be changed."""

    def render(**answers: Any) -> Path:
        unknown = answers.keys() - questions()
        assert not unknown, f"no such question: {unknown}"
        name = f"rendered/{digest(repr(sorted(answers.items())))}"
        with once(name) as (folder, is_new):
            if is_new:
                copier.run_copy(
                    str(template), folder / "project", data=answers, defaults=True, quiet=True
                )
        return folder / "project"

    return render


@pytest.fixture
def render(rendered: Render, tmp_path: Path) -> Render:
    """Render a set of answers into the test's own folder."""

    def copy(name: str = "project", **answers: Any) -> Path:
        return shutil.copytree(rendered(**answers), tmp_path / name)

    return copy


def needs(project: Path) -> list[str]:
    """Return the lines of a project's pyproject.toml that say what it needs."""
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith(('    "', "requires-python"))]


def install_packages(project: Path, folder: Path, *options: str) -> None:
    """Create the environment of a project in a folder."""
    run(
        ["uv", "sync", "--quiet", "--project", str(project), *options],
        cwd=project,
        UV_PROJECT_ENVIRONMENT=str(folder),
        UV_PYTHON=sys.executable,
    )
    (project / "uv.lock").unlink()


def share_bytecode(source: Path, target: Path) -> None:
    """Link the bytecode of an environment into another that has some of its packages.

    Python ignores it where the modules are not the same files, as with a cache on another disk.
    """
    for file in source.glob("lib/*/site-packages/**/*.pyc"):
        copy = target / file.relative_to(source)
        if copy.parent.parent.is_dir() and not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            copy.hardlink_to(file)


@pytest.fixture(scope="session")
def environment(rendered: Render) -> Environment:
    """Install a project's dependencies, once per set, and return the Python interpreter.

    Beside it is one with the packages of all projects, for type checks.
    """
    with once("environments/everything") as (folder, is_new):
        if is_new:
            projects = [rendered(**answers) for answers in VARIANTS.values()]
            project = shutil.copytree(projects[0], folder.with_name("everything.project"))
            file = project / "pyproject.toml"
            text = file.read_text(encoding="utf-8")
            heading = "dependencies = [\n"
            known = needs(project)
            more = sorted({line for each in projects for line in needs(each)} - {*known})
            file.write_text(
                text.replace(heading, heading + "".join(f"{line}\n" for line in more), 1),
                encoding="utf-8",
            )
            install_packages(project, folder, "--compile-bytecode")

    def install(project: Path) -> Path:
        with once(f"environments/{digest(*needs(project))}") as (folder, is_new):
            if is_new:
                install_packages(project, folder)
                share_bytecode(folder.with_name("everything"), folder)
        return folder / "bin" / "python"

    return install


@pytest.fixture(scope="session")
def server(rendered: Render, environment: Environment) -> Iterator[str]:
    """Run one PostgreSQL for the tests of this worker that grow a database; yield its URL."""
    project = rendered(mode="sync")
    with postgres(project, environment(project)) as url:
        yield url


@pytest.fixture
def open_database(
    request: pytest.FixtureRequest, environment: Environment, tmp_path: Path
) -> OpenDatabase:
    """Make a new database for a project, of the kind that its answers say."""
    number = 0

    def open_(project: Path, database: str) -> Database:
        nonlocal number
        number += 1
        python = environment(project)
        if database == "sqlite":
            return Database(project, python, f"sqlite:///{tmp_path / f'{number}.db'}")
        url = request.getfixturevalue("server")
        name = f"d{abs(hash(tmp_path))}_{number}"
        Database(project, python, url).sql(f"CREATE DATABASE {name}")
        return Database(project, python, url.replace("/postgres?", f"/{name}?"))

    return open_
