"""Hooks and `helm test` pods."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import yaml

NETWORK_TOOLS = ("curl", "wget", "apk ", "apt", "pip ", "git ", "https://")
HOOKS = {
    "kubepipe-setup": "post-install,post-upgrade",
    "kubepipe-crds": "pre-upgrade",
    "kubepipe-cleanup": "pre-delete",
}


def test_jobs_are_hooks_with_limits(full: Any) -> None:
    """Each job is a hook of our own image with a retry limit and a deadline, and is removed when it succeeded."""
    assert {job["metadata"]["name"]: job["metadata"]["annotations"]["helm.sh/hook"] for job in full.all("Job")} == HOOKS
    for job in full.all("Job"):
        assert job["metadata"]["annotations"]["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
        assert job["spec"]["backoffLimit"] == 3
        assert job["spec"]["activeDeadlineSeconds"] == 600
        assert job["spec"]["template"]["spec"]["containers"][0]["image"].startswith("docker.io/kubepipe/stages:")


def test_hooks_fetch_nothing(full: Any) -> None:
    """No hook or test downloads: it runs one command that is in the image."""
    for each in [*full.all("Job"), *full.all("Pod")]:
        spec = each["spec"] if each["kind"] == "Pod" else each["spec"]["template"]["spec"]
        container = spec["containers"][0]
        text = " ".join([*container["command"], *container["args"]])
        assert container["command"][0] in {"kubepipe", "python3"}
        assert not any(tool in text for tool in NETWORK_TOOLS)


def test_definitions_are_renewed(full: Any, helm: Any, chart_folder: Path) -> None:
    """The pre-upgrade hook carries our own definition and those of the engines that are on; it may write those only."""
    held = full.get("ConfigMap", "kubepipe-crds")["data"]
    files = {
        file.name: yaml.safe_load(file.read_text(encoding="utf-8"))
        for file in [*chart_folder.glob("charts/*/crds/*.yaml"), *chart_folder.glob("crds/*.yaml")]
    }
    assert {name: yaml.safe_load(text) for name, text in held.items()} == files
    rules = full.all("ClusterRole")[0]["rules"]
    assert sorted(rules[0]["resourceNames"]) == sorted(each["metadata"]["name"] for each in files.values())
    assert [rule["verbs"] for rule in rules] == [["get", "patch"], ["create"]]
    fewer = helm("--set=argoWorkflows.enabled=false,argoEvents.enabled=false,preflight.crds=false").get(
        "ConfigMap", "kubepipe-crds"
    )["data"]
    assert set(fewer) == {"scheduledworkflows.yaml", "datasetruns.yaml"}


def test_order_of_the_upgrade_hook(full: Any) -> None:
    """What the job needs has a lower weight than the job."""
    weights = {
        each["kind"]: int(each["metadata"]["annotations"]["helm.sh/hook-weight"])
        for each in full.objects
        if each["metadata"].get("annotations", {}).get("helm.sh/hook") == "pre-upgrade"
    }
    job = weights.pop("Job")
    assert set(weights) == {"ConfigMap", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"}
    assert all(weight < job for weight in weights.values())


def test_hooks_can_be_left_out(helm: Any) -> None:
    """Each hook has a switch, and takes its account and role with it."""
    release = helm(
        "--set=setup.enabled=false,global.objectStore.separateUsers=false,cleanup.enabled=false,crds.upgrade=false,tests.enabled=false"
    )
    assert not release.all("Job")
    assert not release.all("Pod")
    assert not release.all("ClusterRole")
    assert not {"kubepipe-setup", "kubepipe-cleanup", "kubepipe-crds"} & {
        each["metadata"]["name"] for each in [*release.all("ServiceAccount"), *release.all("Role")]
    }


def test_checks_are_mounted(full: Any, chart_folder: Path) -> None:
    """`helm test` has a pod for the API, the store and ML Metadata; each mounts the script that it runs."""
    scripts = full.get("ConfigMap", "kubepipe-test")["data"]
    run = set()
    for pod in full.all("Pod"):
        assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
        run.add(Path(pod["spec"]["containers"][0]["args"][0]).name)
    assert (
        run | {"patience.py"}
        == set(scripts)
        == {file.name for file in (chart_folder / "files" / "checks").glob("*.py")}
    )
    for text in scripts.values():
        assert ast.get_docstring(ast.parse(text))


def test_definitions_can_be_rendered_into_objects(full: Any) -> None:
    """The ConfigMap of the definitions stays far below the limit of an object."""
    assert len(json.dumps(full.get("ConfigMap", "kubepipe-crds"))) < 100_000
