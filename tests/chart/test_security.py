"""Pods are restricted, accounts may do little, and traffic is denied unless allowed."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def violations(spec: Mapping[str, Any], *, user_ids: bool = True) -> Iterator[str]:
    """What the Pod Security level "restricted" refuses in a pod."""
    pod = spec.get("securityContext", {})
    for flag in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(flag):
            yield flag
    for volume in spec.get("volumes", []):
        if not VOLUMES & set(volume):
            yield f"volume {volume['name']}"
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        own = container.get("securityContext", {})
        merged = {**pod, **own}
        allowed = {
            "runAsNonRoot": merged.get("runAsNonRoot") is True,
            "runAsUser": merged.get("runAsUser") != 0 and ("runAsUser" in merged or not user_ids),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
            "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
            "seccompProfile": merged.get("seccompProfile") == {"type": "RuntimeDefault"},
            "hostPort": not any("hostPort" in port for port in container.get("ports", [])),
            "privileged": not own.get("privileged"),
            "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem") is True,
        }
        yield from (name for name, good in allowed.items() if not good)


def test_every_pod_is_restricted(full: Any) -> None:
    """Engines, hooks and tests pass "restricted", with a read-only root and a user id."""
    pods = list(full.pods())
    assert len(pods) > 14
    for owner, _, spec in pods:
        assert not list(violations(spec)), owner


def test_scenarios_are_restricted(scenario: Any) -> None:
    """No example value opens a pod; on OpenShift the cluster gives the user ids."""
    for owner, _, spec in scenario.pods():
        assert not list(violations(spec, user_ids=False)), owner


def test_openshift_gives_the_user_ids(helm: Any) -> None:
    """With global.openshift no pod, executor or step names a user id; without it all do."""
    for flag, expected in (("true", False), ("false", True)):
        release = helm(f"--set-string=global.openshift={flag}")
        assert all(("runAsUser" in spec["securityContext"]) is expected for _, _, spec in release.pods())
        executor = yaml.safe_load(release.get("ConfigMap", "kubepipe-workflow-controller")["data"]["executor"])
        assert ("runAsUser" in executor["securityContext"]) is expected
    found = helm("--api-versions=security.openshift.io/v1")
    assert all("runAsUser" not in spec["securityContext"] for _, _, spec in found.pods())


def test_pods_of_runs_are_restricted(full: Any) -> None:
    """What makes Argo's and KFP's own containers and the steps pass "restricted" is configured."""
    data = full.get("ConfigMap", "kubepipe-workflow-controller")["data"]
    executor = yaml.safe_load(data["executor"])["securityContext"]
    assert not list(violations({"containers": [{"name": "wait", "securityContext": executor}]}))
    patch = json.loads(yaml.safe_load(data["workflowDefaults"])["spec"]["podSpecPatch"])
    assert patch["containers"][0]["securityContext"] == {"readOnlyRootFilesystem": True}
    assert patch["containers"][0]["volumeMounts"][0]["mountPath"] == "/tmp"  # noqa: S108 - in the pod
    api = full.typed("Deployment", "kubepipe-kfp-api").spec.template.spec.containers[0]
    environment = {each.name: each.value for each in api.env}
    assert environment["DEFAULT_SECURITY_CONTEXT_RUN_AS_NON_ROOT"] == "true"
    assert environment["DEFAULT_SECURITY_CONTEXT_RUN_AS_USER"] == "65532"


def test_no_wildcards_and_no_cluster_roles(full: Any) -> None:
    """No rule has a wildcard, and the one cluster role lives with the hook that renews the definitions."""
    for role in [*full.all("Role"), *full.all("ClusterRole")]:
        for rule in role["rules"]:
            assert not any("*" in each for each in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]])
    assert [role["metadata"]["annotations"]["helm.sh/hook"] for role in full.all("ClusterRole")] == ["pre-upgrade"]


def test_secrets_are_read_by_name(helm: Any) -> None:
    """Without Argo Events, whose controller makes secrets, nobody may read a secret but the one of the artifacts."""
    for role in helm("--set=argoEvents.enabled=false").all("Role"):
        for rule in role["rules"]:
            if "secrets" in rule["resources"]:
                assert role["metadata"]["name"] == "pipeline-runner"
                assert rule["resourceNames"] == ["mlpipeline-minio-artifact"]
                assert rule["verbs"] == ["get"]


def test_steps_may_do_three_things(full: Any) -> None:
    """The account of steps writes task results, reads its configuration and one secret, and nothing else."""
    rules = full.get("Role", "pipeline-runner")["rules"]
    assert [(rule["resources"], rule["verbs"]) for rule in rules] == [
        (["workflowtaskresults"], ["create", "patch"]),
        (["configmaps"], ["get"]),
        (["secrets"], ["get"]),
    ]


def test_tokens_only_where_used(full: Any) -> None:
    """A pod gets a token exactly when its account is bound to a role."""
    bound = {
        subject["name"]
        for each in [*full.all("RoleBinding"), *full.all("ClusterRoleBinding")]
        for subject in each["subjects"]
    }
    for owner, _, spec in full.pods():
        assert spec["automountServiceAccountToken"] is (spec["serviceAccountName"] in bound), owner
    accounts = {each["metadata"]["name"] for each in full.all("ServiceAccount")}
    assert {spec["serviceAccountName"] for _, _, spec in full.pods()} <= accounts


def _selects(policy: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    selector = policy["spec"]["podSelector"]
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", [])
    )


def test_default_deny_covers_every_pod(full: Any) -> None:
    """Each pod is denied by default and has a policy of its own; so have the pods of runs."""
    policies = full.all("NetworkPolicy")
    deny = full.get("NetworkPolicy", "kubepipe-default-deny")
    for owner, metadata, _ in full.pods():
        assert _selects(deny, metadata["labels"]), owner
        assert sum(_selects(each, metadata["labels"]) for each in policies) == 2, owner
    step = {"pipelines.kubeflow.org/v2_component": "true"}
    assert [each["metadata"]["name"] for each in policies if _selects(each, step)] == ["kubepipe-steps"]
    for each in policies:
        assert sorted(each["spec"]["policyTypes"]) == ["Egress", "Ingress"]


def test_nothing_reaches_the_internet(full: Any) -> None:
    """With the bundled stores no policy lets a pod talk to a public address."""
    blocks = [
        ipaddress.ip_network(peer["ipBlock"]["cidr"])
        for policy in full.all("NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        for peer in rule.get("to", [])
        if "ipBlock" in peer
    ]
    assert blocks
    assert all(block.is_private or block == ipaddress.ip_network("100.64.0.0/10") for block in blocks)
    for policy in full.all("NetworkPolicy"):
        assert all(rule.get("to") for rule in policy["spec"].get("egress", []))


def test_nobody_reaches_steps(full: Any) -> None:
    """Steps, agents, controllers and hooks take no connections."""
    for name in ("steps", "hooks", "kfp-persistence", "kfp-schedules", "workflow-controller", "argo-events"):
        assert full.get("NetworkPolicy", f"kubepipe-{name}")["spec"]["ingress"] == []


@pytest.mark.parametrize(
    ("scope", "selector"), [("release", {"app.kubernetes.io/instance": "kubepipe"}), ("namespace", None)]
)
def test_scope_of_default_deny(helm: Any, scope: str, selector: dict[str, str] | None) -> None:
    """Default-deny leaves other pods of the namespace alone unless it is asked to cover them."""
    policy = helm(f"--set=global.networkPolicy.scope={scope}").get("NetworkPolicy", "kubepipe-default-deny")
    assert policy["spec"]["podSelector"].get("matchLabels") == selector


def test_policies_can_be_left_out(helm: Any) -> None:
    """global.networkPolicy.enabled=false leaves no policy."""
    assert not helm("--set=global.networkPolicy.enabled=false").all("NetworkPolicy")
