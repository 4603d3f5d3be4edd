"""The manifests: kustomize renders them, the schemas of Kubernetes admit them, and each pod is guarded."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

Tool = Callable[..., Any]
KUBERNETES = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
OVERLAYS = sorted(folder.name for folder in (KUBERNETES / "overlays").iterdir())
CUSTOM = {"ScaledObject", "PodMonitor", "HTTPRoute"}  # not Kubernetes' own
CHECK_CUSTOM = """
import { readFileSync } from "fs";
const groups = {
  ScaledObject: "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject",
  PodMonitor: "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor",
  HTTPRoute: "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute",
};
for (const given of JSON.parse(readFileSync(0, "utf8"))) {
  const made = await import(groups[given.kind]);
  new (made[given.kind] ?? made.default[given.kind])(given).validate();
}
"""


@pytest.fixture
def rendered(tool: Tool) -> Callable[[str], list[dict[str, Any]]]:
    """Render an overlay."""

    def render(overlay: str) -> list[dict[str, Any]]:
        done = tool("kubectl", "kustomize", KUBERNETES / "overlays" / overlay)
        assert done.returncode == 0, done.stderr
        return list(yaml.safe_load_all(done.stdout))

    return render


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the pods of all Deployments, by name."""
    for each in objects:
        if each["kind"] == "Deployment":
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def strictly(tool: Tool, folder: Path, objects: list[dict[str, Any]], version: str) -> Any:
    """Hold them to the schemas of one version of Kubernetes."""
    (folder / "all.yaml").write_text(yaml.safe_dump_all(objects))
    return tool("kubernetes-validate", "--strict", "-k", version, folder / "all.yaml")


@pytest.mark.parametrize("version", ["1.36.0", "1.37.0"])
def test_valid(
    version: str, rendered: Callable[[str], list[dict[str, Any]]], tool: Tool, tmp_path: Path
) -> None:
    """Each overlay is valid; only custom resources have no schema there."""
    objects = [each for overlay in OVERLAYS for each in rendered(overlay)]
    done = strictly(tool, tmp_path, objects, version)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(re.findall(r"schema for kind (\w+)", done.stdout + done.stderr)) == CUSTOM


def test_misspelt(rendered: Callable[[str], list[dict[str, Any]]], tool: Tool, tmp_path: Path) -> None:
    """A field that is misspelt is found: the check above can fail."""
    objects = rendered("cpu")
    next(pods(objects))[1]["containers"][0]["readinesProbe"] = {}
    assert strictly(tool, tmp_path, objects, "1.37.0").returncode


@pytest.mark.network
def test_custom_resources(rendered: Callable[[str], list[dict[str, Any]]], tmp_path: Path) -> None:
    """KEDA's, Prometheus' and the Gateway API's own schemas admit the rest, and refuse what is wrong."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here: the custom resources were NOT checked")
    packages = [f"@kubernetes-models/{name}" for name in ("keda", "prometheus-operator", "gateway-api")]
    subprocess.run(["npm", "install", "--silent", "--prefix", tmp_path, *packages], check=True, timeout=300)
    (tmp_path / "check.mjs").write_text(CHECK_CUSTOM)

    def check(objects: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", "check.mjs"],
            cwd=tmp_path,
            input=json.dumps(objects),
            capture_output=True,
            text=True,
            check=False,
        )

    objects = [each for name in OVERLAYS for each in rendered(name) if each["kind"] in CUSTOM]
    assert {each["kind"] for each in objects} == CUSTOM
    done = check(objects)
    assert done.returncode == 0, done.stderr
    scaled = next(each for each in objects if each["kind"] == "ScaledObject")
    scaled["spec"]["minReplicaCount"] = "none"
    assert check([scaled]).returncode


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_guarded(overlay: str, rendered: Callable[[str], list[dict[str, Any]]]) -> None:
    """No pod is root, may gain a right, writes to its image, or has a token of the cluster."""
    objects = rendered(overlay)
    for name, pod in pods(objects):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["hostUsers"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            guard = container["securityContext"]
            assert guard["readOnlyRootFilesystem"] is True, container["name"]
            assert guard["allowPrivilegeEscalation"] is False, container["name"]
            assert guard["capabilities"] == {"drop": ["ALL"]}, container["name"]
            assert "memory" in container["resources"]["limits"], container["name"]
    denied = [
        each for each in objects if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == "deny"
    ]
    assert denied
    assert denied[0]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes(overlay: str, rendered: Callable[[str], list[dict[str, Any]]]) -> None:
    """A busy or loading model never gets its pod killed; work in hand gets the time that the server gives it."""
    for name, pod in pods(rendered(overlay)):
        if name in ("redis", "queue", "work"):  # not ours, or it listens on nothing
            continue
        (container,) = pod["containers"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert "startupProbe" in container
        grace = int(container["args"][container["args"].index("--grace") + 1])
        assert pod["terminationGracePeriodSeconds"] > grace


def test_a_card_is_let_go_of_first(rendered: Callable[[str], list[dict[str, Any]]]) -> None:
    """On GPUs a new pod does not wait for a card that the old one holds until the new one is ready."""
    for overlay in ("gpu", "keda"):
        (engine,) = (
            each
            for each in rendered(overlay)
            if each["kind"] == "Deployment" and each["metadata"]["name"] == "engine"
        )
        assert engine["spec"]["strategy"] == {"type": "Recreate"}
        assert (
            engine["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"]
            == "1"
        )


def test_models_in_an_image(rendered: Callable[[str], list[dict[str, Any]]]) -> None:
    """With models as an image the engine reaches nothing outside, and nothing is fetched."""
    objects = rendered("models-image")
    pod = dict(pods(objects))["engine"]
    assert "initContainers" not in pod
    assert [volume for volume in pod["volumes"] if "image" in volume]
    assert not [each for each in objects if each["kind"] == "PersistentVolumeClaim"]
    policies = {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "NetworkPolicy"}
    assert policies["engine"]["egress"] == []


def test_ingress(tool: Tool, tmp_path: Path) -> None:
    """The Ingress that may stand in for the route is valid."""
    ingress = yaml.safe_load((KUBERNETES / "overlays" / "gateway" / "ingress.yaml").read_text())
    done = strictly(tool, tmp_path, [ingress], "1.37.0")
    assert done.returncode == 0, done.stdout


def test_the_server_knows_what_it_is_told(rendered: Callable[[str], list[dict[str, Any]]]) -> None:
    """Flags and variables in the manifests and in docker-compose.yml are those of the program."""
    from hunkwise.reviewer.commands.serving.serve import command
    from hunkwise.reviewer.config.variables import OTHER_VARIABLES
    from hunkwise.reviewer.server.settings import Settings, variables

    flags = {flag for option in command.params for flag in option.opts}
    names = {*OTHER_VARIABLES, "WEBUI_AUTH"}
    names |= {variable for name in Settings.__dataclass_fields__ for variable in variables(name)}
    for overlay in OVERLAYS:
        for _, pod in pods(rendered(overlay)):
            for container in pod["containers"]:
                args = container.get("args", [])
                if args[:1] == ["serve"]:
                    assert {arg for arg in args if arg.startswith("--")} <= flags
                told = {each["name"] for each in container.get("env", [])} - {"MODEL"}
                assert told <= names, container["name"]
    compose = yaml.safe_load((KUBERNETES.parents[1] / "docker-compose.yml").read_text())
    for name in ("serve", "serve-gpu", "hunkwise", "bot-receive", "bot-work"):
        assert set(compose["services"][name]["environment"]) <= names
