"""From the store's notification to a DatasetRun: MinIO, event source, bus and sensor.

The templates inside the sensor are Go templates with Sprig's functions, which Helm has too: it evaluates them here.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubepipe_events.config import Rule
from kubepipe_events.identity import Source
from kubepipe_events.rules import judge

Evaluate = Callable[[str, Sequence[object]], list[str]]
IDENTITY = ["bucket", "etag", "key", "size", "versionId"]


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory: pytest.TempPathFactory) -> Evaluate:
    """What a template of the sensor makes of each input."""
    chart = tmp_path_factory.mktemp("evaluate")
    (chart / "templates").mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: evaluate\nversion: 0.0.1\n", encoding="utf-8")
    call = '{{ tpl $.Values.template (dict "Input" . "Template" $.Template) | toJson }}'
    text = "results:\n{{ range .Values.inputs }}  - " + call + "\n{{ end }}"
    (chart / "templates" / "results.yaml").write_text(text, encoding="utf-8")

    def run(template: str, inputs: Sequence[object]) -> list[str]:
        values = chart / "values.yaml"
        values.write_text(
            json.dumps({"template": template, "inputs": list(inputs)}, ensure_ascii=False), encoding="utf-8"
        )
        helm = Path(sys.executable).with_name("helm")
        done = subprocess.run([str(helm), "template", "x", str(chart)], check=True, capture_output=True, text=True)
        results: list[str] = yaml.safe_load(done.stdout)["results"]
        return results

    return run


def sensor_of(release: Any) -> dict[str, Any]:
    """The sensor's specification."""
    spec: dict[str, Any] = release.get("Sensor", "kubepipe-datasets")["spec"]
    return spec


def judge_of(release: Any) -> str:
    """Template that says whether a key is a data set."""
    data = sensor_of(release)["dependencies"][0]["filters"]["data"]
    (template,) = [each["template"] for each in data if each["path"] == "key" and each["value"] == ["^run$"]]
    return str(template)


def test_trigger_writes_the_identity_only(full: Any) -> None:
    """The sensor sets name and source, with all five fields always there and the size as a number, and nothing else."""
    (trigger,) = sensor_of(full)["triggers"]
    k8s = trigger["template"]["k8s"]
    assert k8s["operation"] == "patch"
    assert k8s["source"]["resource"] == {
        "apiVersion": "kubepipe.io/v1alpha1",
        "kind": "DatasetRun",
        "metadata": {"name": "placeholder"},
        "spec": {"source": {}},
    }
    fields = {each["dest"]: each["src"] for each in k8s["parameters"]}
    assert sorted(fields) == ["metadata.name", *(f"spec.source.{each}" for each in IDENTITY)]
    assert fields["spec.source.size"]["useRawData"] is True


def test_events_are_not_given_up(full: Any) -> None:
    """Trigger and dead letter are tried again and acknowledged at the end; the bus keeps events on a volume."""
    (trigger,) = sensor_of(full)["triggers"]
    for each in (trigger, trigger["dlqTrigger"]):
        assert each["atLeastOnce"] is True
        assert each["retryStrategy"]["steps"] == 8
    bus = full.get("EventBus", "kubepipe-bus")["spec"]["jetstream"]
    assert bus["persistence"] == {"volumeSize": "1Gi", "accessMode": "ReadWriteOnce"}
    assert yaml.safe_load(bus["streamConfig"]) == {"replicas": 1, "maxAge": "168h"}


def test_high_availability(helm: Any) -> None:
    """Three servers of the bus keep three copies of each event."""
    release = helm.scenario("ha")
    bus = release.get("EventBus", "kubepipe-bus")["spec"]["jetstream"]
    assert bus["replicas"] == yaml.safe_load(bus["streamConfig"])["replicas"] == 3
    assert release.get("EventSource", "kubepipe-objects")["spec"]["replicas"] == 2


def test_store_reports_to_the_event_source(full: Any) -> None:
    """MinIO reports to our event source with its token, from a queue on its volume, which is written first."""
    container = full.typed("StatefulSet", "kubepipe-minio").spec.template.spec.containers[0]
    environment = {each.name: each for each in container.env}
    prefix = "MINIO_NOTIFY_WEBHOOK_"
    assert environment["MINIO_API_SYNC_EVENTS"].value == "on"
    assert environment[f"{prefix}ENABLE_KUBEPIPE"].value == "on"
    url = environment[f"{prefix}ENDPOINT_KUBEPIPE"].value
    webhook = full.get("EventSource", "kubepipe-objects")["spec"]["webhook"]["object"]
    service = full.get("Service", "kubepipe-events-source")
    assert (
        url == f"http://{service['metadata']['name']}.models.svc.cluster.local:{webhook['port']}{webhook['endpoint']}"
    )
    assert service["spec"]["ports"][0]["targetPort"] == int(webhook["port"])
    token = environment[f"{prefix}AUTH_TOKEN_KUBEPIPE"].value_from.secret_key_ref
    assert webhook["authSecret"] == {"name": token.name, "key": token.key}
    queue = environment[f"{prefix}QUEUE_DIR_KUBEPIPE"].value
    assert queue.startswith("/data/")
    assert "/data" in {each.mount_path for each in container.volume_mounts}


def test_store_tells_the_controller_at_once(helm: Any, full: Any) -> None:
    """MinIO posts hints to the controller, with the same token and no queue, by a way that the policies leave open."""
    environment = {
        each.name: each
        for each in full.typed("StatefulSet", "kubepipe-minio").spec.template.spec.containers[0].env
        if each.name.endswith("_KUBEPIPEHINT")
    }
    prefix = "MINIO_NOTIFY_WEBHOOK_"
    url = environment[f"{prefix}ENDPOINT_KUBEPIPEHINT"].value
    assert url == "http://kubepipe-events.models.svc.cluster.local:12001/objects"
    assert f"{prefix}QUEUE_DIR_KUBEPIPEHINT" not in environment
    token = environment[f"{prefix}AUTH_TOKEN_KUBEPIPEHINT"].value_from.secret_key_ref
    pod = full.typed("Deployment", "kubepipe-events").spec.template.spec
    (volume,) = [each.secret for each in pod.volumes if each.name == "webhook"]
    assert (volume.secret_name, volume.items[0].key) == (token.name, token.key)
    mounted = {each.name: each.mount_path for each in pod.containers[0].volume_mounts}["webhook"]
    told = json.loads(full.get("ConfigMap", "kubepipe-events")["data"]["events.json"])["hint"]
    assert told == {"port": 12001, "tokenFile": f"{mounted}/{volume.items[0].path}"}
    ports = {each["name"]: each["port"] for each in full.get("Service", "kubepipe-events")["spec"]["ports"]}
    assert ports["hint"] == 12001
    assert (["events"], [12001]) in _flows(full, "minio", "egress")
    assert (["minio"], [12001]) in _flows(full, "events", "ingress")
    off = helm("--set=events.hint=false")
    assert _flows(off, "events", "ingress") == []
    assert "webhook" not in {
        each.name for each in off.typed("Deployment", "kubepipe-events").spec.template.spec.volumes
    }


def test_setup_makes_the_rules(helm: Any) -> None:
    """Setup is told of both rules: on, off with polling, and only what was named where the store is somebody else's."""

    def told(*arguments: str) -> Any:
        document = json.loads(helm(*arguments).get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
        return document.get("notifications")

    durable = {"bucket": "incoming", "id": "kubepipe-models-kubepipe", "arn": "arn:minio:sqs::KUBEPIPE:webhook"}
    hint = {"bucket": "incoming", "id": "kubepipe-hint-models-kubepipe", "arn": "arn:minio:sqs::KUBEPIPEHINT:webhook"}
    assert told() == [{**durable, "enabled": True}, {**hint, "enabled": True}]
    assert told("--set=events.hint=false") == [{**durable, "enabled": True}, {**hint, "enabled": False}]
    assert [each["enabled"] for each in told("--set=events.mode=poll")] == [False, False]
    outside = "minio.enabled=false,global.objectStore.endpoint=minio.example.com,global.objectStore.existingSecret=s3"
    assert told(f"--set={outside}") is None
    assert told(f"--set={outside},events.mode=webhook,events.webhook.arn=arn:x")[0]["arn"] == "arn:x"
    both = told(f"--set={outside},events.mode=webhook,events.webhook.arn=arn:x,events.webhook.hintArn=arn:y")
    assert [(each["arn"], each["enabled"]) for each in both] == [("arn:x", True), ("arn:y", True)]


def test_rights_of_the_intake(full: Any) -> None:
    """The sensor may make DatasetRuns and write of dead letters; event source and bus have neither role nor token."""
    rules = full.get("Role", "kubepipe-events-sensor")["rules"]
    assert [(each["resources"], each["verbs"]) for each in rules] == [
        (["datasetruns"], ["get", "create", "patch"]),
        (["events"], ["create"]),
    ]
    tokens = {
        name: full.get("ServiceAccount", f"kubepipe-events-{name}")["automountServiceAccountToken"]
        for name in ("source", "sensor", "bus")
    }
    assert tokens == {"source": False, "sensor": True, "bus": False}


def _flows(release: Any, name: str, direction: str) -> list[tuple[list[str], list[Any]]]:
    """Components and ports of a policy's rules between pods of the release."""
    flows = []
    for rule in release.get("NetworkPolicy", f"kubepipe-{name}")["spec"][direction]:
        ports = [port["port"] for port in rule["ports"]]
        for peer in rule.get("from", rule.get("to", [])):
            expressions = peer.get("podSelector", {}).get("matchExpressions", [])
            flows.extend((each["values"], ports) for each in expressions)
    return flows


def test_flows(full: Any) -> None:
    """Store to event source, event source and sensor to the bus, and no other way in."""
    assert (["events-source"], [12000]) in _flows(full, "minio", "egress")
    assert _flows(full, "events-source", "ingress") == [(["minio", "test"], [12000])]
    assert _flows(full, "events-source", "egress") == [(["events-bus"], [4222])]
    assert _flows(full, "events-sensor", "ingress") == []
    assert _flows(full, "events-sensor", "egress") == [(["events-bus"], [4222])]
    assert _flows(full, "events-bus", "ingress") == [
        (["events-source", "events-sensor"], [4222]),
        (["events-bus"], [6222]),
    ]
    assert _flows(full, "events-bus", "egress") == [(["events-bus"], [6222])]
    store = [values for values, ports in _flows(full, "minio", "ingress") if ports == [9000]]
    assert {"events", "events-tick"} <= set(store[0])
    api = [values for values, ports in _flows(full, "kfp-api", "ingress") if ports == [8888]]
    assert "events" in api[0]


def test_an_outside_store_is_let_in(helm: Any) -> None:
    """A store elsewhere reaches the event source when it is named."""
    policy = helm.scenario("events").get("NetworkPolicy", "kubepipe-events-source")["spec"]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "storage"}}} in policy["ingress"][0][
        "from"
    ]


def test_cleanup_removes_the_intake(full: Any) -> None:
    """The hook before an uninstall may delete exactly our sensor, event source and bus, whose names it is told."""
    setup = json.loads(full.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    made = {"sensors": "Sensor", "eventsources": "EventSource", "eventbus": "EventBus"}
    rules = {each["resources"][0]: each for each in full.get("Role", "kubepipe-cleanup")["rules"]}
    for plural, kind in made.items():
        names = [each["metadata"]["name"] for each in full.all(kind)]
        assert setup["events"][plural] == names == rules[plural]["resourceNames"]
        assert rules[plural]["verbs"] == ["get", "delete"]


SOURCES = [
    {"bucket": "incoming", "key": key, "versionId": version, "etag": etag, "size": size}
    for key in ("a.json", 'a b/ü%2F+c "q" 🙂.json', "k" * 1024, "<&>'`{{x}}", "tab\tand\nline")
    for version in ("", "0b6f1a8e-0c5f-4f5a-b4ad-0f9d1ac5d5b7")
    for etag, size in (
        ("d41d8cd98f00b204e9800998ecf8427e", 0),
        ("9a0364b9e99bb480dd25e1f0284c8555-2", 50_000_000_000_000),
    )
]


def test_name(full: Any, evaluate: Evaluate) -> None:
    """The name is that which the formula gives, for any key, with and without versions."""
    (trigger,) = sensor_of(full)["triggers"]
    template = next(
        each["src"]["dataTemplate"]
        for each in trigger["template"]["k8s"]["parameters"]
        if each["dest"] == "metadata.name"
    )
    inputs, expected = [], []
    for each in SOURCES:
        identity = each["versionId"] or f"{each['etag']}-{each['size']}"
        inputs.append({**each, "identity": identity})
        text = f"{each['bucket']}/{each['key']}#{identity}"
        expected.append("ds-" + hashlib.sha256(text.encode()).hexdigest()[:40])
        assert Source.from_spec({"source": each}).name == expected[-1]
    assert evaluate(template, inputs) == expected


def judged(rules: Sequence[dict[str, Any]], key: str) -> str:
    """What the rules say of a key, by another way than the chart's."""
    name = key.rpartition("/")[2]
    rule = next((each for each in rules if key.startswith(each["prefix"])), None)
    if not name or rule is None:
        return "ignore"
    if rule["marker"]:
        return "run" if name == rule["marker"] else "ignore"
    hidden = any(fnmatchcase(name, pattern) for pattern in rule["ignore"])
    fits = not rule["suffixes"] or key.endswith(tuple(rule["suffixes"]))
    return "run" if fits and not hidden else "ignore"


def keys(seed: int, count: int) -> list[str]:
    """Keys that are likely to touch a rule."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    pieces = [
        "many/", "raw data/", "a", "ü", "🙂", ".", "_", "~", "draft-1", "draft-12", ".json",
        ".jsonl", ".csv", ".tmp", ".part",
        "_SUCCESS", "kubepipe.yaml", "/", " ", "*", "?", "+", "\\", "\n", "(", "|", "$", '"', "`", "{{", "JSON",
    ]  # fmt: skip
    ends = ["", "", ".json", ".csv", "_SUCCESS"]
    return ["".join(rng.choices(pieces, k=rng.randint(1, 4))) + rng.choice(ends) for _ in range(count)]


@pytest.mark.parametrize("scenario", ["lite", "events"])
def test_rules(helm: Any, evaluate: Evaluate, scenario: str) -> None:
    """The sensor's filter says of 600 keys what the rules say: first fitting prefix, marker, ignored names, endings."""
    release = helm.scenario(scenario)
    rules = json.loads(release.get("ConfigMap", "kubepipe-events")["data"]["events.json"])["rules"]
    sample = keys(7, 600)
    expected = [judged(rules, key) for key in sample]
    read = tuple(Rule.model_validate(each) for each in rules)
    assert expected == [judge(read, key, 10).action for key in sample]
    assert evaluate(judge_of(release), sample) == expected
    assert min(expected.count("run"), expected.count("ignore")) > 30


CASES = [
    ("many/a/_SUCCESS", "run"),
    ("many/a/part-1.json", "ignore"),
    ("many/a/xx_SUCCESS", "ignore"),
    ("raw data/x.csv", "run"),
    ("raw data/x.json", "ignore"),
    ("raw data/draft-1.csv", "ignore"),
    ("raw data/draft-12.csv", "run"),
    ("raw data/_x.csv", "run"),
    ("x.json", "run"),
    ("x.jsonl", "run"),
    ("x.JSON", "ignore"),
    ("_x.json", "ignore"),
    (".x.json", "ignore"),
    ("folder.json/", "ignore"),
    ("a/kubepipe.yaml", "ignore"),
]


def test_rules_by_hand(helm: Any, evaluate: Evaluate) -> None:
    """Cases that a person can check."""
    assert evaluate(judge_of(helm.scenario("events")), [key for key, _ in CASES]) == [expected for _, expected in CASES]
