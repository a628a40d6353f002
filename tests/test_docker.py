"""In place of a Docker engine: linters, schemas, references, and the steps of the image."""

import json
import os
import re
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from conftest import Render
from processes import served
from projects import ROOT, run
from variants import BACKENDS

every_backend = pytest.mark.parametrize("backend", BACKENDS)


def composed(project: Path) -> dict[str, Any]:
    """Return compose.yaml with the variables of .env in it; fail if one is set nowhere."""
    lines = (project / ".env.example").read_text(encoding="utf-8").splitlines()
    env = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def value(found: re.Match[str]) -> str:
        name, otherwise = found.groups()
        return otherwise[2:] if otherwise and otherwise.startswith(":-") else env[name]

    text = (project / "compose.yaml").read_text(encoding="utf-8")
    filled: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+)([^}]*)\}", value, text))
    return filled


@every_backend
def test_dockerfiles_pass_the_linter(backend: str, rendered: Render) -> None:
    project = rendered(**BACKENDS[backend])
    files = sorted(str(path) for path in project.rglob("Dockerfile"))
    run(["hadolint", *files], project)


@every_backend
def test_copied_files_exist(backend: str, rendered: Render) -> None:
    project = rendered(**BACKENDS[backend])
    for file in project.rglob("Dockerfile"):
        for line in re.findall(r"^COPY (?!--from)(.+)$", file.read_text(), re.MULTILINE):
            *sources, _target = line.split()
            for source in sources:
                # A lock file is the user's: copied if it is there.
                assert (file.parent / source).exists() or source == "uv.lock*", line


@every_backend
@pytest.mark.parametrize(
    ("schema", "file"),
    [("compose-spec", "compose.yaml"), ("github-workflows", ".github/workflows/ci.yml")],
)
def test_configuration_files_match_their_schemas(
    schema: str, file: str, backend: str, rendered: Render
) -> None:
    project = rendered(**BACKENDS[backend])
    run(["check-jsonschema", "--builtin-schema", f"vendor.{schema}", file], project)


@every_backend
def test_compose_references_resolve(backend: str, rendered: Render) -> None:
    project = rendered(**BACKENDS[backend])
    compose = composed(project)
    services = compose["services"]
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()
        for config in service.get("configs", []):
            assert config["source"] in compose["configs"]
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (
                (project / source).is_file() if source[0] == "." else source in compose["volumes"]
            )
        if "build" in service:
            assert (project / service["build"] / "Dockerfile").is_file()
        for name, value in service.get("environment", {}).items():
            host = re.search(r"@(\w+):", str(value))
            assert not host or host[1] in services, name


def test_our_workflow_matches_its_schema() -> None:
    run(
        [
            "check-jsonschema",
            "--builtin-schema",
            "vendor.github-workflows",
            ".github/workflows/ci.yml",
        ],
        ROOT,
    )


class Image:
    """The stages of a Dockerfile, executed one instruction at a time in folders."""

    def __init__(self, context: Path, folder: Path) -> None:
        """Execute the Dockerfile of a folder; `/` of every stage is `folder/root`."""
        self.context = context
        self.root = folder / "root"
        self.stages: dict[str, Path] = {}
        self.command: list[str] = []
        self.healthcheck: list[str] = []
        ignored = (context / ".dockerignore").read_text(encoding="utf-8").splitlines()
        self.included = {line.removeprefix("!") for line in ignored if line.startswith("!")}
        text = (context / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, rest = line.partition(" ")
                steps = {"FROM": self.start, "HEALTHCHECK": self.check}
                steps.get(name, getattr(self, name.lower(), None))(rest.strip())
        self.close_stage()

    def path(self, path: str) -> Path:
        """Return where a path of the image is."""
        return self.root / str(PurePosixPath(self.workdir_path, path)).lstrip("/")

    def close_stage(self) -> None:
        """Set the files of a named stage aside."""
        if self.root.exists() and self.stage:
            self.stages[self.stage] = self.root.rename(self.root.with_name(self.stage))

    def start(self, words: str) -> None:
        """Begin a stage with Python, and nothing of the stage before."""
        if self.root.exists():
            self.close_stage()
        image, _, self.stage = words.partition(" AS ")
        assert image == f"python:{'.'.join(map(str, sys.version_info[:2]))}-slim"
        self.workdir_path = "/"
        python = self.root / "usr" / "local"
        run(["uv", "venv", "--quiet", "--seed", "--python", sys.executable, str(python)], ROOT)
        path = f"{python / 'bin'}:{os.environ['PATH']}"
        self.environment = {"PATH": path, "UV_PYTHON": sys.executable}

    def env(self, words: str) -> None:
        """Set environment variables."""
        for word in words.split():
            name, value = word.split("=", 1)
            value = value.replace("$PATH", self.environment.get("PATH", ""))
            self.environment[name] = value.replace("/app/", f"{self.root}/app/")

    def workdir(self, path: str) -> None:
        """Change the working directory."""
        self.workdir_path = path
        self.path(".").mkdir(parents=True, exist_ok=True)

    def copy(self, words: str) -> None:
        """Copy from the build context, or from another stage."""
        *sources, target = words.split()
        if sources[0].startswith("--from="):
            stage, source = sources[0].removeprefix("--from="), sources[1]
            found = [self.stages[stage] / source.lstrip("/")]
        else:
            found = [path for source in sources for path in self.context.glob(source)]
            assert {path.name for path in found} <= self.included
        for path in found:
            place = self.path(target) / path.name if target == "./" else self.path(target)
            if path.is_dir():
                shutil.copytree(path, place, symlinks=True)
            else:
                shutil.copy2(path, place)

    def run(self, command: str) -> None:
        """Run a command, except for what creates users and their folders."""
        if not command.startswith("useradd"):
            run(["sh", "-c", command], self.path("."), **self.environment)

    def cmd(self, words: str) -> None:
        """Keep the command."""
        self.command = json.loads(words)

    def check(self, words: str) -> None:
        """Keep the command of the health check."""
        self.healthcheck = json.loads(words.partition("CMD ")[2])

    def user(self, words: str) -> None:
        """Check that the image runs as a user by number, which Kubernetes can verify."""
        assert int(words) > 0

    def expose(self, words: str) -> None:
        """Check that the port is the default of the settings."""
        assert words == "8000"

    def volume(self, path: str) -> None:
        """Create a folder for data."""
        self.path(path).mkdir(parents=True)


@pytest.mark.parametrize("lock", [False, True], ids=["no lock file", "lock file"])
def test_the_steps_of_the_image(lock: bool, render: Render, tmp_path: Path) -> None:  # noqa: FBT001
    version = ".".join(map(str, sys.version_info[:2]))
    project = render(mode="sync", database="sqlite", python_version=version)
    # A slow route: a request in flight when the server is told to stop.
    health = project / "app" / "routers" / "health.py"
    slow = (
        '\n\n@router.get("/slow")\ndef slow() -> str:\n'
        '    print("slow", flush=True)\n    time.sleep(2)\n    return "finished"\n'
    )
    text = health.read_text(encoding="utf-8")
    health.write_text(text.replace("\nfrom ", "\nimport time\nfrom ", 1) + slow, encoding="utf-8")
    (project / ".env").write_text("DATABASE_URL=of-this-machine\n", encoding="utf-8")
    if lock:
        run(["uv", "lock", "--quiet"], project)
    image = Image(project, tmp_path)

    left = {path.name for path in image.path(".").iterdir()}
    assert left == {".venv", "alembic.ini", "app", "migrations"}
    packages = {path.name for path in image.path(".venv").glob("lib/*/site-packages/*")}
    assert "fastapi" in packages
    assert "pytest" not in packages

    env = {**image.environment, "DATABASE_URL": f"sqlite:///{image.root}/data/app.db"}
    python = str(image.path(".venv/bin/python"))
    command = [python, *image.command[1:]]
    with served(image.path("."), command, **env) as (url, process):
        address = url.removeprefix("http://")
        run([python, *image.healthcheck[1:]], image.path("."), PORT=address.partition(":")[2])
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(get, address, "/health/slow")
            assert process.stdout
            for line in process.stdout:
                if line == "slow\n":
                    break
            process.terminate()
            assert answer.result() == (200, b'"finished"')
        process.stdout.read()
        assert process.wait() in {0, -signal.SIGTERM}


def get(address: str, path: str) -> tuple[int, bytes]:
    """Request a path; return the status and the body."""
    with closing(HTTPConnection(address, timeout=30)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
