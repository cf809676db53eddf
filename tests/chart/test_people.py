"""People: their role, and the name under which they decide."""

from __future__ import annotations

from typing import Any


def test_role_of_people(full: Any) -> None:
    """The role lets people work with DatasetRuns; the status is not theirs to write."""
    rules = full.get("Role", "kubepipe-users")["rules"]
    assert rules[0]["resources"] == ["datasetruns"]
    assert set(rules[0]["verbs"]) == {"get", "list", "watch", "create", "update", "patch", "delete"}
    assert {resource for rule in rules for resource in rule["resources"]} == {"datasetruns", "events"}
    assert "kubepipe-users" not in {each["metadata"]["name"] for each in full.all("RoleBinding")}


def test_binding_of_people(helm: Any) -> None:
    """Those who are named get it."""
    binding = helm.scenario("events").get("RoleBinding", "kubepipe-users")
    assert binding["subjects"] == [{"kind": "Group", "name": "research", "apiGroup": "rbac.authorization.k8s.io"}]
    assert "kubepipe-users" not in {
        each["metadata"]["name"] for each in helm("--set=events.users.create=false").all("Role")
    }


def test_decisions_carry_the_name_of_who_decides(full: Any) -> None:
    """The API server compares the name in a decision with the caller's, in this namespace only."""
    policy, binding = full.all("ValidatingAdmissionPolicy")[0], full.all("ValidatingAdmissionPolicyBinding")[0]
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["validationActions"] == ["Deny"]
    assert binding["spec"]["matchResources"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "models"
    }
    assert policy["spec"]["failurePolicy"] == "Fail"
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["datasetruns"], ["CREATE", "UPDATE"])
    assert "request.userInfo.username" in policy["spec"]["validations"][0]["expression"]


def test_older_clusters_go_without(helm: Any) -> None:
    """Before Kubernetes 1.30 there is no such policy, and it can be left out."""
    for arguments in ("--kube-version=1.29.0", "--set=events.decisions.enforceIdentity=false"):
        assert not helm(arguments).all("ValidatingAdmissionPolicy")
        assert not helm(arguments).all("ValidatingAdmissionPolicyBinding")
