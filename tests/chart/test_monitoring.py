"""Metrics, alerts and the dashboard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import EVERYTHING

# What the controller exports, and of Argo Events' own what an alert looks at.
METRICS = {
    "kubepipe_runs", "kubepipe_oldest_unprocessed_seconds", "kubepipe_queue_length", "kubepipe_sweep_findings_total",
    "kubepipe_sweep_seconds", "kubepipe_submit_seconds_bucket", "kubepipe_pipelines_up", "kubepipe_notifications_total",
    "kubepipe_rejected_total", "kubepipe_attempts_total", "argo_events_action_retries_failed_total",
}  # fmt: skip
NAME = re.compile(r"\b(?:kubepipe|argo_events)_[a-z_]+\b")
KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Prometheus' own tool."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not on the PATH")
    return subprocess.run([program, *arguments], check=False, capture_output=True, text=True)


@pytest.fixture
def rules(full: Any, tmp_path: Path) -> Path:
    """The alert rules as a file of Prometheus."""
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(full.get("PrometheusRule", "kubepipe-events")["spec"]), encoding="utf-8")
    return file


def test_off_by_default(helm: Any) -> None:
    """Nothing of the operator's kinds, and no dashboard, is there unless it is asked for."""
    release = helm()
    assert not KINDS & {each["kind"] for each in release.objects}
    assert "kubepipe-dashboard" not in {each["metadata"]["name"] for each in release.all("ConfigMap")}


def test_monitors_find_their_targets(full: Any) -> None:
    """The monitors select the controller's Service and the pods of the intake, by ports that exist."""
    monitor = full.get("ServiceMonitor", "kubepipe-events")["spec"]
    service = full.get("Service", "kubepipe-events")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in {each["name"] for each in service["spec"]["ports"]}
    pods = full.get("PodMonitor", "kubepipe-events-intake")["spec"]["selector"]["matchExpressions"][0]["values"]
    components = {metadata["labels"]["app.kubernetes.io/component"] for _, metadata, _ in full.pods()}
    assert set(pods) <= components


def test_prometheus_is_let_in(helm: Any) -> None:
    """The peers that are named reach the metrics of controller and intake, and nothing else of them."""
    release = helm.scenario("events")
    prometheus = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    for name, port in (("events", 8080), ("events-source", 7777), ("events-sensor", 7777), ("events-bus", 7777)):
        ingress = release.get("NetworkPolicy", f"kubepipe-{name}")["spec"]["ingress"]
        assert {"from": prometheus, "ports": [{"port": port}]} in ingress, name


def test_labels_of_ones_own(helm: Any) -> None:
    """Labels by which an operator finds its objects are set."""
    release = helm.scenario("events")
    for kind in KINDS:
        assert release.all(kind)[0]["metadata"]["labels"]["release"] == "prometheus"
    assert release.get("ConfigMap", "kubepipe-dashboard")["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_alerts_name_metrics_that_exist(full: Any) -> None:
    """Alerts and dashboard ask for what is exported, in this namespace; each metric of the controller is looked at."""
    (group,) = full.get("PrometheusRule", "kubepipe-events")["spec"]["groups"]
    alerts = [rule["expr"] for rule in group["rules"]]
    dashboard = json.loads(full.get("ConfigMap", "kubepipe-dashboard")["data"]["kubepipe.json"])
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert set(NAME.findall(" ".join(alerts + panels))) == METRICS
    assert all('namespace="models"' in each for each in alerts)
    assert all('namespace="$namespace"' in each for each in panels)
    for rule in group["rules"]:
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}


def test_rules_pass_promtool(rules: Path) -> None:
    """Prometheus takes the rules, and its linter finds nothing."""
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", str(rules))
    assert done.returncode == 0, done.stdout + done.stderr


FIRES = {
    "KubePipeObjectsWait": ('kubepipe_oldest_unprocessed_seconds{namespace="models"}', "901+0x200"),
    "KubePipeQueueLong": ('kubepipe_queue_length{namespace="models"}', "21+0x200"),
    "KubePipePipelinesDown": ('kubepipe_pipelines_up{namespace="models"}', "0+0x200"),
    "KubePipeNotificationsMissed": ('kubepipe_sweep_findings_total{namespace="models"}', "0+1x200"),
    "KubePipeRunsFail": ('kubepipe_attempts_total{namespace="models",cause="evicted"}', "0+1x200"),
    "KubePipeNotificationsFail": ('kubepipe_notifications_total{namespace="models",result="failed"}', "0+1x200"),
    "KubePipeDeadLetters": (
        'argo_events_action_retries_failed_total{namespace="models",sensor_name="kubepipe-datasets"}', "0+1x200",
    ),
    "KubePipeControllerDown": ('up{namespace="models",job="kubepipe-events"}', "0+0x200"),
}  # fmt: skip
CALM = {
    "KubePipeObjectsWait": "10+0x200",
    "KubePipeQueueLong": "20+0x200",
    "KubePipePipelinesDown": "1+0x200",
    "KubePipeControllerDown": "1+0x200",
}


def test_every_alert_is_tried(full: Any) -> None:
    """There is a case for each alert."""
    (group,) = full.get("PrometheusRule", "kubepipe-events")["spec"]["groups"]
    assert {rule["alert"] for rule in group["rules"]} == set(FIRES)


@pytest.mark.parametrize("alert", FIRES)
@pytest.mark.parametrize("bad", [True, False], ids=["fires", "is calm"])
def test_alert(full: Any, rules: Path, tmp_path: Path, alert: str, bad: bool) -> None:
    """An alert fires when its metric is bad for long enough, and is calm when it is not."""
    (group,) = full.get("PrometheusRule", "kubepipe-events")["spec"]["groups"]
    rule = next(each for each in group["rules"] if each["alert"] == alert)
    series, values = FIRES[alert]
    shown = values if bad else CALM.get(alert, "5+0x200")
    firing = [{"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}] if bad else []
    test = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": shown}],
                "alert_rule_test": [{"eval_time": "90m", "alertname": alert, "exp_alerts": firing}],
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_thresholds(helm: Any) -> None:
    """Limits of the values stand in the rules."""
    release = helm(EVERYTHING, "--set=events.metrics.alerts.unprocessedSeconds=77,events.metrics.alerts.queueLength=7")
    text = json.dumps(release.get("PrometheusRule", "kubepipe-events"))
    assert "> 77" in text
    assert '> 7"' in text
