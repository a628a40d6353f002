"""What stands in for a Docker engine: linters, schemas, and that every name leads somewhere."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Render
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
def test_dockerfiles_please_the_linter(backend: str, rendered: Render) -> None:
    project = rendered(**BACKENDS[backend])
    files = sorted(str(path) for path in project.rglob("Dockerfile"))
    run(["hadolint", *files], project)


@every_backend
def test_what_an_image_copies_is_there(backend: str, rendered: Render) -> None:
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
def test_files_for_others_are_as_their_schemas_say(
    schema: str, file: str, backend: str, rendered: Render
) -> None:
    project = rendered(**BACKENDS[backend])
    run(["check-jsonschema", "--builtin-schema", f"vendor.{schema}", file], project)


@every_backend
def test_every_name_in_compose_leads_somewhere(backend: str, rendered: Render) -> None:
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


def test_our_own_workflow_is_as_its_schema_says() -> None:
    run(
        [
            "check-jsonschema",
            "--builtin-schema",
            "vendor.github-workflows",
            ".github/workflows/ci.yml",
        ],
        ROOT,
    )
