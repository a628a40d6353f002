"""The Kubernetes manifests: schemas, a linter, references and the connection budget."""

import configparser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Render
from projects import run

MANIFESTS: dict[str, dict[str, Any]] = {
    "direct": {},
    "transaction": {"pgbouncer": True},
    "session": {"pgbouncer": True, "pgbouncer_pool_mode": "session"},
    "small session": {
        "pgbouncer": True,
        "pgbouncer_pool_mode": "session",
        "pgbouncer_default_pool_size": 10,
    },
    "large pool": {"pgbouncer": True, "pgbouncer_default_pool_size": 60},
}
VERSIONS = ("1.31.0", "1.37.0")
# Checks of the linter that do not apply, with the reason.
SKIPPED = {
    "CKV_K8S_11": "a CPU limit throttles; requests are enough",
    "CKV_K8S_14": "the tag is set in kustomization.yaml",
    "CKV_K8S_43": "so would be the digest",
    "CKV_K8S_21": "the namespace is chosen by whoever applies the manifests",
    "CKV_K8S_35": "settings are environment variables",
    "CKV2_K8S_6": "network policies depend on the cluster",
}
every_set = pytest.mark.parametrize("answers", MANIFESTS.values(), ids=list(MANIFESTS))


def objects(project: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the objects of all manifests by kind and name."""
    found = {}
    for file in sorted((project / "kubernetes").glob("*.yaml")):
        for item in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if item["kind"] != "Kustomization":
                found[item["kind"], item["metadata"]["name"]] = item
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("pgbouncer", [False, True])
def test_manifests_follow_the_official_schemas(
    version: str, rendered: Render, *, pgbouncer: bool
) -> None:
    folder = rendered(kubernetes=True, pgbouncer=pgbouncer) / "kubernetes"
    files = [str(path) for path in folder.glob("*.yaml") if path.name != "kustomization.yaml"]
    run(["uvx", "kubernetes-validate", "--strict", "-k", version, *files], folder)


def test_manifests_pass_a_linter(rendered: Render) -> None:
    project = rendered(kubernetes=True, pgbouncer=True)
    options = ["--framework", "kubernetes", "--skip-download", "--compact", "--quiet"]
    skipped = ["--skip-check", ",".join(SKIPPED)]
    run(["uvx", "checkov", *options, *skipped, "--directory", "kubernetes"], project)


@every_set
def test_kustomization_lists_every_manifest_and_image(
    answers: dict[str, Any], rendered: Render
) -> None:
    project = rendered(kubernetes=True, **answers)
    folder = project / "kubernetes"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    files = {path.name for path in folder.iterdir()} - {"kustomization.yaml"}
    assert set(listed["resources"]) == files
    images = {
        container["image"]
        for item in objects(project).values()
        for container in item["spec"].get("template", {}).get("spec", {}).get("containers", [])
    }
    assert {image["name"] for image in listed["images"]} == images


@every_set
def test_selectors_and_references_resolve(answers: dict[str, Any], rendered: Render) -> None:
    found = objects(rendered(kubernetes=True, **answers))
    deployments = [item for (kind, _name), item in found.items() if kind == "Deployment"]
    labels = [item["spec"]["template"]["metadata"]["labels"] for item in deployments]
    ports = {
        port["name"]
        for item in deployments
        for container in item["spec"]["template"]["spec"]["containers"]
        for port in container["ports"]
    }
    for (kind, name), item in found.items():
        if kind == "Service":
            assert item["spec"]["selector"] in labels, name
            assert {port["targetPort"] for port in item["spec"]["ports"]} <= ports
        elif kind in {"Deployment", "PodDisruptionBudget"}:
            assert item["spec"]["selector"]["matchLabels"] in labels, name
        elif kind == "HorizontalPodAutoscaler":
            target = item["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) in found


@every_set
def test_no_rollout_exceeds_the_connection_limits(
    answers: dict[str, Any], rendered: Render, environment: Callable[[Path], Path]
) -> None:
    project = rendered(kubernetes=True, **answers)
    found = objects(project)
    app = found["Deployment", "my-backend"]["spec"]["strategy"]["rollingUpdate"]
    replicas = found["HorizontalPodAutoscaler", "my-backend"]["spec"]["maxReplicas"]
    command = [str(environment(project)), "-m", "app.db.budget"]
    # A pod that ends while the next one starts is not counted, and keeps its connections.
    command += ["--replicas", str(replicas + app["maxSurge"] + (replicas > 1))]
    url = "postgresql://user:password@host/name"
    if not answers:
        run(command, project, DATABASE_URL=url)
        return
    ini = configparser.ConfigParser(comment_prefixes=(";",), interpolation=None)
    ini.read(project / "pgbouncer" / "pgbouncer.ini")
    for name in ("default_pool_size", "reserve_pool_size", "max_client_conn"):
        command += [f"--{name.replace('_', '-')}", ini["pgbouncer"][name]]
    bouncers = found["Deployment", "my-backend-pgbouncer"]["spec"]
    number, rollout = bouncers["replicas"], bouncers["strategy"]["rollingUpdate"]
    run([*command, "--pgbouncers", str(number)], project, DATABASE_URL=url)
    if number > 1:
        assert rollout["maxSurge"] == 0
        run([*command, "--pgbouncers", str(number + 1)], project, DATABASE_URL=url)
        if ini["pgbouncer"]["pool_mode"] == "transaction":
            left = str(number - rollout["maxUnavailable"])
            run([*command, "--pgbouncers", left], project, DATABASE_URL=url)


def test_shutdown_fits_in_the_grace_period(rendered: Render) -> None:
    project = rendered(kubernetes=True)
    pod = objects(project)["Deployment", "my-backend"]["spec"]["template"]["spec"]
    sleep, seconds = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    source = (project / "app" / "__main__.py").read_text(encoding="utf-8")
    graceful = int(source.partition("timeout_graceful_shutdown=")[2].partition(",")[0])
    assert sleep == "sleep"
    assert int(seconds) + graceful < pod["terminationGracePeriodSeconds"]
