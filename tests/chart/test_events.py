"""The controller of DatasetRuns: what it is told, how it runs, what it may do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from kubepipe_events.config import EventsConfig, Rule

from .conftest import SCENARIOS, SCHEDULES

WITHOUT = {"engines"}  # scenarios in which there is no pipeline to run


def config_of(release: Any) -> EventsConfig:
    """What the controller of a rendering is told, as it reads it."""
    return EventsConfig.model_validate(json.loads(release.get("ConfigMap", "kubepipe-events")["data"]["events.json"]))


@pytest.mark.parametrize("name", [each for each in SCENARIOS if each not in WITHOUT])
def test_controller_takes_every_scenario(helm: Any, name: str) -> None:
    """What the chart renders for each example of values is a configuration that the controller accepts."""
    config = config_of(helm.scenario(name))
    assert config.kfp_endpoint.startswith("http")
    assert config.rules


def test_defaults_are_those_of_the_controller(helm: Any) -> None:
    """Values that nobody touched say what the controller would assume by itself."""
    told = config_of(helm("--set=events.hint=false"))
    assumed = EventsConfig(bucket=told.bucket, kfp_endpoint=told.kfp_endpoint, pipeline=told.pipeline)
    assert told == assumed


REACHED = [
    ("global.buckets.incoming.name=drop", "bucket", "drop"),
    ("kubeflowPipelines.apiServer.serviceName=api", "kfpEndpoint", "http://api.models.svc.cluster.local:8888"),
    ("pipeline.name=other", "pipeline", "other"),
    ("pipeline.settings.training.epochs=2", "settings", {"training": {"epochs": 2}}),
    ("events.mode=poll", "mode", "poll"),
    ("events.hint=true", "hint.port", 12001),
    ("events.hint=true", "hint.tokenFile", "/etc/kubepipe/webhook/token"),
    ("events.rules[0].prefix=p/", "rules.0.prefix", "p/"),
    ("events.rules[0].suffixes[0]=.json", "rules.0.suffixes", [".json"]),
    ("events.rules[0].ignore[0]=x*", "rules.0.ignore", ["x*"]),
    ("events.rules[0].minBytes=0", "rules.0.minBytes", 0),
    ("events.rules[0].maxBytes=7000000000", "rules.0.maxBytes", 7_000_000_000),
    ("events.rules[0].marker=_SUCCESS", "rules.0.marker", "_SUCCESS"),
    ("events.rules[0].identical=run", "rules.0.identical", "run"),
    ("events.schedules[0].name=s", "schedules.0.name", "s"),
    ("events.schedules[0].cron=@daily", "schedules.0.cron", "@daily"),
    ("events.schedules[0].timezone=Asia/Kolkata", "schedules.0.timezone", "Asia/Kolkata"),
    ("events.schedules[0].dataset=d.json", "schedules.0.dataset", "d.json"),
    ("events.schedules[0].settings.training.epochs=2", "schedules.0.settings", {"training": {"epochs": 2}}),
    ("events.schedules[0].concurrencyPolicy=Replace", "schedules.0.concurrencyPolicy", "Replace"),
    ("events.schedules[0].startingDeadline=60", "schedules.0.startingDeadline", 60),
    ("events.schedules[0].suspend=true", "schedules.0.suspend", True),
    ("events.sweep.intervalSeconds=60", "sweep.intervalSeconds", 60),
    ("events.limits.concurrentRuns=3", "limits.concurrentRuns", 3),
    ("events.limits.runSeconds=60", "limits.runSeconds", 60),
    ("events.limits.runEnergyKwh=0.5", "limits.runEnergyKwh", 0.5),
    ("events.retry.attempts=5", "retry.attempts", 5),
    ("events.retry.backoffSeconds=1", "retry.backoffSeconds", 1),
    ("events.retry.backoffFactor=3", "retry.backoffFactor", 3),
    ("events.retry.maxSeconds=9", "retry.maxSeconds", 9),
    ("events.retry.causes[0]=evicted", "retry.causes", ["evicted"]),
    ("events.notifications.existingSecret=s", "notifications.urlsFile", "/etc/kubepipe/notifications/urls"),
    ("events.notifications.about[0]=success", "notifications.on", ["success"]),
    ("events.notifications.stuckAfterSeconds=60", "notifications.stuckAfterSeconds", 60),
    ("events.keepSeconds=0", "keepSeconds", 0),
    ("events.port=9000", "port", 9000),
    ("global.retention.quarantine=7", "quarantineSeconds", 7 * 86_400),
]
SCHEDULE = "events.schedules[0].name=a,events.schedules[0].cron=@hourly,events.schedules[0].dataset=x.json"


def leaves(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Paths of all fields of the controller's configuration, the first entry standing for those of a list."""
    for name, field in model.model_fields.items():
        here = f"{path}{field.alias or name}"
        inner = next((each for each in (field.annotation, *get_args(field.annotation)) if _is_model(each)), None)
        if inner is None:
            yield here
        else:
            yield from leaves(inner, f"{here}.0." if get_origin(field.annotation) is tuple else f"{here}.")


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


@pytest.mark.parametrize(("value", "path", "expected"), REACHED, ids=[row[0] for row in REACHED])
def test_value_reaches_the_controller(helm: Any, value: str, path: str, expected: Any) -> None:
    """Each value changes the field that it is meant for."""
    base = [f"--set={SCHEDULE}"] if "schedules" in value else []
    # `--set` knows no fractions.
    release = helm(*base, f"--set-json={value}" if isinstance(expected, float) else f"--set={value}")
    node: Any = json.loads(release.get("ConfigMap", "kubepipe-events")["data"]["events.json"])
    for part in path.split("."):
        node = node[int(part)] if part.isdigit() else node[part]
    assert node == expected
    config_of(release)


def test_every_field_is_reachable() -> None:
    """No field of the controller's configuration lacks a value of the chart."""
    assert set(leaves(EventsConfig)) == {path for _, path, _ in REACHED}


def test_a_rule_is_filled_up(helm: Any) -> None:
    """What a rule leaves out comes from ruleDefaults; what it says wins, be it empty or 0."""
    release = helm(
        '--set-json=events.rules=[{"prefix":"a/","ignore":[],"minBytes":0},{}]',
        "--set=events.ruleDefaults.marker=_DONE",
    )
    first, second = config_of(release).rules
    assert (first.ignore, first.min_bytes, first.marker) == ((), 0, "_DONE")
    assert (second.ignore, second.min_bytes, second.marker) == (Rule().ignore, 1, "_DONE")


MODES = [
    ("", "webhook"),
    ("argoEvents.enabled=false", "poll"),
    ("argoEvents.enabled=false,events.mode=webhook,preflight.crds=false", "webhook"),
    ("minio.enabled=false,global.objectStore.endpoint=s3.example.com,global.objectStore.existingSecret=s3", "poll"),
    ("events.mode=poll", "poll"),
]


@pytest.mark.parametrize(("values", "mode"), MODES)
def test_mode(helm: Any, values: str, mode: str) -> None:
    """Objects are reported by the store where MinIO and Argo Events are ours, and found by listing elsewhere."""
    release = helm(f"--set={values}")
    assert config_of(release).mode == mode
    assert bool(release.all("Sensor")) == bool(release.all("EventBus")) == (mode == "webhook")
    setup = json.loads(release.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
    assert ("events" in setup) == (mode == "webhook")


def test_off_leaves_nothing(helm: Any) -> None:
    """Without events or the pipeline there is no controller, no intake, no role, and the store is silent."""
    for values in ("events.enabled=false", "pipeline.enabled=false"):
        release = helm(f"--set={values}", f"--set-json={SCHEDULES}")
        kinds = {each["kind"] for each in release.objects}
        assert not kinds & {"EventBus", "EventSource", "Sensor", "CronJob", "ValidatingAdmissionPolicy"}
        names = {each["metadata"]["name"] for each in release.objects}
        assert not {"kubepipe-events", "kubepipe-users", "kubepipe-events-tick", "kubepipe-events-source"} & names
        setup = json.loads(release.get("ConfigMap", "kubepipe-setup")["data"]["setup.json"])
        assert setup["notifications"][0]["enabled"] is False


def test_controller_is_one(helm: Any) -> None:
    """There is never more than one controller, and it starts anew when its configuration changes."""
    before, after = (
        helm(*arguments).get("Deployment", "kubepipe-events") for arguments in ((), ("--set=events.keepSeconds=1",))
    )
    assert before["spec"]["replicas"] == 1
    assert before["spec"]["strategy"] == {"type": "Recreate"}
    assert before["spec"]["template"]["metadata"]["annotations"] != after["spec"]["template"]["metadata"]["annotations"]


def test_environment_of_the_controller(helm: Any) -> None:
    """It sees the store as the steps before the gate do, and knows which pod it is."""
    container = helm().typed("Deployment", "kubepipe-events").spec.template.spec.containers[0]
    plain = {each.name: each.value for each in container.env if each.value}
    assert plain == {
        "KUBEPIPE_S3_ENDPOINT": "kubepipe-minio.models.svc.cluster.local:9000",
        "KUBEPIPE_S3_SECURE": "false",
        "KUBEPIPE_S3_REGION": "us-east-1",
        "KUBEPIPE_STORE": "s3://kubepipe",
        "KUBEPIPE_QUARANTINE": "s3://quarantine",
    }
    secrets = {
        each.name: each.value_from.secret_key_ref
        for each in container.env
        if each.value_from.__class__.__name__ == "V1EnvVarSource" and each.value_from.secret_key_ref
    }
    assert {name: ref.name for name, ref in secrets.items()} == {
        "KUBEPIPE_S3_ACCESS_KEY": "kubepipe-source-store", "KUBEPIPE_S3_SECRET_KEY": "kubepipe-source-store",
    }  # fmt: skip
    fields = {
        each.name: each.value_from.field_ref.field_path
        for each in container.env
        if each.value_from and each.value_from.field_ref
    }
    assert fields == {"POD_NAMESPACE": "metadata.namespace", "POD_NAME": "metadata.name", "POD_ID": "metadata.uid"}
    assert (container.command, container.args) == (["python", "-m", "kubepipe_events"], ["run"])
    assert {each.name: each.mount_path for each in container.volume_mounts}["config"] == "/etc/kubepipe/events"


def test_rights_of_the_controller(full: Any) -> None:
    """It may do everything to DatasetRuns, write events, and look why a workflow failed; no secret, no pod."""
    rules = [(each["resources"], each["verbs"]) for each in full.get("Role", "kubepipe-events")["rules"]]
    assert rules == [
        (["datasetruns"], ["get", "list", "watch", "create", "patch", "delete"]),
        (["datasetruns/status"], ["get", "patch"]),
        (["events"], ["create", "patch"]),
        (["workflows"], ["get", "list"]),
    ]


def test_urls_of_notifications(helm: Any) -> None:
    """URLs are in a secret only, one a line; a secret of one's own wins."""
    release = helm.scenario("events")
    data = release.get("Secret", "kubepipe-notifications")["data"]
    import base64

    assert base64.b64decode(data["urls"]).decode().count("\n") == 1
    rest = yaml.safe_dump([each for each in release.objects if each["kind"] != "Secret"])
    assert "mailtos://" not in rest
    own = helm.scenario("events", "--set=events.notifications.existingSecret=mine,events.notifications.key=k")
    assert "kubepipe-notifications" not in {each["metadata"]["name"] for each in own.all("Secret")}
    volume = next(each for each in own.typed("Deployment", "kubepipe-events").spec.template.spec.volumes if each.secret)
    assert (volume.secret.secret_name, volume.secret.items[0].key, volume.secret.items[0].path) == ("mine", "k", "urls")


def test_network_of_the_controller(helm: Any) -> None:
    """It reaches what it needs and the receivers that are named; Prometheus reaches it only where it is named."""
    plain = helm("--set=events.hint=false").get("NetworkPolicy", "kubepipe-events")["spec"]
    assert plain["ingress"] == []
    named = helm.scenario("events").get("NetworkPolicy", "kubepipe-events")["spec"]
    assert named["ingress"][0]["ports"] == [{"port": 8080}]
    assert named["egress"][-1]["to"] == [{"ipBlock": {"cidr": "203.0.113.0/24"}}]
    assert len(named["egress"]) == len(plain["egress"]) + 1
