"""What every pod has: resources, probes, budgets, and the options of the values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from .conftest import SCHEDULES

UNITS = {"m": Decimal("0.001"), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}
# These two end by themselves when the API stays away, and listen nowhere that says more.
WITHOUT_PROBES = {"ml-pipeline-persistenceagent", "ml-pipeline-scheduledworkflow"}


def amount(text: str) -> Decimal:
    """A quantity of Kubernetes as a number."""
    unit = next((unit for unit in UNITS if text.endswith(unit)), "")
    return Decimal(text.removesuffix(unit)) * UNITS.get(unit, Decimal(1))


def test_requests_and_limits(full: Any) -> None:
    """Every container, hooks and tests included, asks for CPU and memory and has a limit on memory."""
    for owner, container in full.containers():
        resources = container["resources"]
        assert set(resources["requests"]) == {"cpu", "memory"}, owner
        assert "memory" in resources["limits"], owner


def test_probes(full: Any) -> None:
    """Every server has a readiness and a liveness probe."""
    for kind in ("Deployment", "StatefulSet"):
        for each in full.all(kind):
            for container in each["spec"]["template"]["spec"]["containers"]:
                if container["name"] not in WITHOUT_PROBES:
                    assert {"readinessProbe", "livenessProbe"} <= set(container), container["name"]


def test_disruption_budgets(full: Any) -> None:
    """Every workload has a budget that lets a node with its only pod be drained."""
    budgets = {each["metadata"]["name"]: each["spec"] for each in full.all("PodDisruptionBudget")}
    argo = {f"kubepipe-events-{part}" for part in ("bus", "source", "sensor")}
    own = {each["metadata"]["name"] for each in [*full.all("Deployment"), *full.all("StatefulSet")]}
    assert set(budgets) == own | argo
    assert all(each["maxUnavailable"] == 1 for each in budgets.values())


def test_lite_is_small(helm: Any) -> None:
    """All engines together request at most half a core and 1.5 GiB."""
    cpu = memory = Decimal(0)
    release = helm.scenario("lite")
    counted = set()
    for owner, container in release.containers():
        kind, name, _ = owner.split("/")
        if kind in {"Job", "CronJob", "Pod"}:
            continue
        spec = release.get(kind, name)["spec"]
        replicas = spec.get("jetstream", spec).get("replicas", 1)
        cpu += amount(container["resources"]["requests"]["cpu"]) * replicas
        memory += amount(container["resources"]["requests"]["memory"]) * replicas
        counted.add(name)
    assert {"kubepipe-bus", "kubepipe-objects", "kubepipe-datasets", "kubepipe-events", "kubepipe-minio"} <= counted
    assert Decimal(0) < cpu <= Decimal("0.5")
    assert memory <= Decimal("1.5") * 2**30


def test_options_reach_every_pod(helm: Any) -> None:
    """Node selectors, tolerations, environment, labels, pull secrets and priority for all reach hooks and tests too."""
    release = helm.scenario(
        "events",
        "--set=kubeflowPipelines.ui.enabled=true,global.priorityClassName=high,global.imagePullSecrets[0].name=reg",
    )
    for owner, metadata, spec in release.pods():
        assert spec["nodeSelector"]["kubernetes.io/os"] == "linux", owner
        assert spec["tolerations"][0]["key"] == "dedicated", owner
        assert spec["priorityClassName"] == "high", owner
        assert spec["imagePullSecrets"] == [{"name": "reg"}], owner
        if not owner.startswith("Pod/"):
            assert metadata["labels"]["team"] == "research", owner
        if not owner.startswith("EventBus/"):  # Argo Events gives its bus no environment
            assert any(each["name"] == "LOG_FORMAT" for each in spec["containers"][0]["env"]), owner


def test_own_environment_wins(helm: Any) -> None:
    """A pod's own extraEnv replaces the one for all pods."""
    release = helm.scenario("events")
    for name, expected in (("kubepipe-setup", "text"), ("kubepipe-cleanup", "text")):
        container = release.typed("Job", name).spec.template.spec.containers[0]
        assert {each.name: each.value for each in container.env}["LOG_FORMAT"] == expected


WORKLOADS = [
    ("kubeflowPipelines.apiServer", "Deployment", "kubepipe-kfp-api"),
    ("kubeflowPipelines.persistenceAgent", "Deployment", "kubepipe-kfp-persistence"),
    ("kubeflowPipelines.scheduledWorkflows", "Deployment", "kubepipe-kfp-schedules"),
    ("kubeflowPipelines.metadata", "Deployment", "kubepipe-kfp-metadata"),
    ("kubeflowPipelines.ui", "Deployment", "kubepipe-kfp-ui"),
    ("kubeflowPipelines.ui.envoy", "Deployment", "kubepipe-kfp-envoy"),
    ("argoWorkflows.controller", "Deployment", "kubepipe-workflow-controller"),
    ("argoEvents.controller", "Deployment", "kubepipe-argo-events"),
    ("minio", "StatefulSet", "kubepipe-minio"),
    ("mariadb", "StatefulSet", "kubepipe-mariadb"),
    ("serving", "Deployment", "kubepipe-serving"),
    ("events.controller", "Deployment", "kubepipe-events"),
    ("events.ticks", "CronJob", "kubepipe-nightly"),
    ("hooks", "Job", "kubepipe-setup"),
    ("hooks", "Job", "kubepipe-crds"),
    ("hooks", "Job", "kubepipe-cleanup"),
]


@pytest.fixture(scope="module")
def tuned(helm: Any) -> Any:
    """A rendering in which each workload has options of its own, all different."""
    values = ["kubeflowPipelines.ui.enabled=true", "serving.enabled=true"]
    for number, path in enumerate(dict.fromkeys(row[0] for row in WORKLOADS)):
        values += [
            f"{path}.nodeSelector.n=n{number}",
            f"{path}.tolerations[0].key=t{number}",
            f"{path}.extraEnv[0].name=E{number}",
            f"{path}.extraEnv[0].value=e",
            f"{path}.podLabels.l=l{number}",
            f"{path}.podAnnotations.a=a{number}",
            f"{path}.priorityClassName=p{number}",
            f"{path}.resources.requests.cpu={number + 1}m",
            f"{path}.topologySpreadConstraints[0].topologyKey=zone{number}",
            f"{path}.affinity.nodeAffinity.x=y",
        ]
    return helm(f"--set-json={SCHEDULES}", *(f"--set={each}" for each in values))


@pytest.mark.parametrize(("path", "kind", "name"), WORKLOADS, ids=[row[2] for row in WORKLOADS])
def test_options_of_one_workload(tuned: Any, path: str, kind: str, name: str) -> None:
    """Options of a workload reach its pods, and no others."""
    number = list(dict.fromkeys(row[0] for row in WORKLOADS)).index(path)
    template = tuned.get(kind, name)["spec"]
    template = template["jobTemplate"]["spec"]["template"] if kind == "CronJob" else template["template"]
    spec, container = template["spec"], template["spec"]["containers"][0]
    assert template["metadata"]["labels"]["l"] == f"l{number}"
    assert template["metadata"]["annotations"]["a"] == f"a{number}"
    assert spec["nodeSelector"] == {"n": f"n{number}"}
    assert spec["tolerations"] == [{"key": f"t{number}"}]
    assert spec["priorityClassName"] == f"p{number}"
    assert spec["affinity"] == {"nodeAffinity": {"x": "y"}}
    assert spec["topologySpreadConstraints"][0]["topologyKey"] == f"zone{number}"
    assert "labelSelector" in spec["topologySpreadConstraints"][0]
    assert container["resources"]["requests"]["cpu"] == f"{number + 1}m"
    assert {"name": f"E{number}", "value": "e"} in container["env"]


def test_proxy_and_certificates(helm: Any) -> None:
    """A proxy and a company's own certificates reach every pod; the cluster's own names bypass the proxy."""
    for owner, container in helm.scenario("airgap").containers():
        if owner.startswith("EventBus/"):  # it calls nobody
            continue
        environment = {each["name"]: each.get("value") for each in container["env"]}
        assert environment["HTTPS_PROXY"] == "http://proxy.internal:3128", owner
        assert environment["NO_PROXY"].endswith("$(KUBERNETES_SERVICE_HOST),.svc,.cluster.local,.internal"), owner
        assert environment["SSL_CERT_FILE"] == "/etc/kubepipe/ca/ca.crt", owner
        assert "ca" in {each["name"] for each in container["volumeMounts"]}, owner


def test_high_availability(helm: Any) -> None:
    """Several pods of a controller elect a leader, for which its role has leases; four servers make one store."""
    release = helm.scenario("ha")
    controller = release.typed("Deployment", "kubepipe-workflow-controller")
    assert controller.spec.replicas == 2
    assert "LEADER_ELECTION_IDENTITY" in {each.name for each in controller.spec.template.spec.containers[0].env}
    assert any("leases" in rule["resources"] for rule in release.get("Role", "kubepipe-workflow-controller")["rules"])
    store = release.typed("StatefulSet", "kubepipe-minio")
    assert store.spec.template.spec.containers[0].args[1] == (
        "http://kubepipe-minio-{0...3}.kubepipe-minio-peers.models.svc.cluster.local:9000/data"
    )
    alone = helm().typed("Deployment", "kubepipe-workflow-controller").spec
    assert alone.strategy.type == "Recreate"


def test_volumes(helm: Any) -> None:
    """Data lies on volumes of the given size and class; without them it says so by an emptyDir."""
    claim = helm("--set=global.storageClass=fast").get("StatefulSet", "kubepipe-minio")["spec"]["volumeClaimTemplates"][
        0
    ]
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "10Gi"
    bare = helm("--set=minio.persistence.enabled=false").get("StatefulSet", "kubepipe-minio")["spec"]
    assert "volumeClaimTemplates" not in bare
    assert {"name": "data", "emptyDir": {}} in bare["template"]["spec"]["volumes"]


def test_configuration_restarts_pods(helm: Any) -> None:
    """A changed configuration changes the pods that read it, since they read it only once."""
    before, after = (
        helm(*arguments).get("Deployment", "kubepipe-workflow-controller")["spec"]["template"]["metadata"][
            "annotations"
        ]
        for arguments in ((), ("--set=argoWorkflows.runs.ttlSeconds=120",))
    )
    assert before != after
