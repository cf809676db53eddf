"""Values that do not fit are refused, with the key to set."""

from __future__ import annotations

from typing import Any

import pytest

EXTERNAL = "minio.enabled=false,global.objectStore.endpoint=s3.example.com,global.objectStore.existingSecret=s3"

PROBLEMS = [
    ("no store", "minio.enabled=false", "global.objectStore.endpoint"),
    (
        "two stores",
        "global.objectStore.endpoint=s3.example.com,global.objectStore.existingSecret=s3",
        "minio.enabled=false",
    ),
    ("scheme", EXTERNAL.replace("s3.example.com", "https://s3.example.com"), "global.objectStore.secure"),
    (
        "no credentials",
        "minio.enabled=false,global.objectStore.endpoint=s3.example.com",
        "global.objectStore.existingSecret",
    ),
    ("identity", "global.objectStore.workloadIdentity=true", "global.objectStore.workloadIdentity=false"),
    ("users without hook", "setup.enabled=false", "global.objectStore.separateUsers=false"),
    ("two servers", "minio.replicas=2", "minio.replicas to 1 or to 4"),
    ("three servers", "minio.replicas=3", "minio.replicas to 1 or to 4"),
    ("no database", "mariadb.enabled=false", "global.database.host"),
    ("two databases", "global.database.host=db,global.database.existingSecret=db", "mariadb.enabled=false"),
    ("no password", "mariadb.enabled=false,global.database.host=db", "global.database.existingSecret"),
    ("one database for both", "global.database.metadata=mlpipeline", "global.database.metadata"),
    ("two APIs", "global.kubeflowPipelines.endpoint=http://ml-pipeline:8888", "kubeflowPipelines.enabled=false"),
    ("no API", "kubeflowPipelines.enabled=false", "global.kubeflowPipelines.endpoint"),
    (
        "no URL",
        "kubeflowPipelines.enabled=false,global.kubeflowPipelines.endpoint=ml-pipeline:8888",
        "URL without a path",
    ),
    ("floating driver", "kubeflowPipelines.steps.driverImage.tag=latest", "kubeflowPipelines.steps.driverImage.digest"),
    (
        "floating launcher",
        "kubeflowPipelines.steps.launcherImage.tag=latest",
        "kubeflowPipelines.steps.launcherImage.digest",
    ),
    ("no Workflow kind", "argoWorkflows.enabled=false", "preflight.crds=false"),
    ("no Sensor kind", "argoEvents.enabled=false,events.mode=webhook", "events.mode=poll"),
    (
        "events without an API",
        "kubeflowPipelines.enabled=false,setup.enabled=false,tests.enabled=false,global.objectStore.separateUsers=false",
        "events.enabled=false",
    ),
    ("one port for both", "events.port=12001", "events.hint=false"),
    ("pattern", "events.rules[0].ignore[0]=[a]*", "events.rules[0].ignore"),
    ("cuda without GPU", "pipeline.settings.training.device=cuda", "pipeline.steps.fine-tune-model.gpu.count=1"),
    ("public key", "keys.publicKey=abc", "openssl pkey"),
    ("trusted key", "signing.trustedKeys[0]=abc", "signing.trustedKeys[0]"),
    ("gitops", "global.gitops=true", "keys.existingSecret"),
]


@pytest.mark.parametrize(("values", "key"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS])
def test_problem_is_named(helm: Any, values: str, key: str) -> None:
    """Each wrong combination ends the rendering, and the message holds the key to set."""
    done = helm.run(f"--set={values}")
    assert done.returncode != 0
    assert "The values do not fit together" in done.stderr
    assert key in done.stderr


def test_problems_are_told_at_once(helm: Any) -> None:
    """Several problems make several lines of one message."""
    done = helm.run("--set=minio.enabled=false,mariadb.enabled=false,keys.publicKey=abc")
    assert done.stderr.count("\n  - ") == 3


def test_graph_must_be_there(helm: Any, tmp_path: Any) -> None:
    """A chart without the compiled pipeline says how to make it."""
    import shutil

    copy = tmp_path / "kubepipe"
    shutil.copytree(helm.chart, copy)
    (copy / "files" / "pipeline" / "kubepipe.yaml").unlink()
    done = type(helm)(copy).run()
    assert "kubepipe pipeline compile" in done.stderr
    assert type(helm)(copy).run("--set=pipeline.configMap=mine").returncode == 0


def test_preflight_sees_the_kind(helm: Any) -> None:
    """An existing Argo is accepted when the cluster knows its kinds, or when nobody looks."""
    for escape in ("--api-versions=argoproj.io/v1alpha1/Workflow", "--set=preflight.crds=false"):
        release = helm("--set=argoWorkflows.enabled=false", escape)
        assert "kubepipe-workflow-controller" not in {each["metadata"]["name"] for each in release.all("Deployment")}


@pytest.mark.parametrize(
    ("kind", "served", "fits"),
    [
        ("argoproj.io/v1alpha1/Workflow", "argoproj.io/v2/Workflow", False),
        ("kubeflow.org/v1beta1/ScheduledWorkflow", "kubeflow.org/v1/ScheduledWorkflow", False),
        ("argoproj.io/v1alpha1/Workflow", "argoproj.io/v1alpha1/Workflow", True),
        # Other kinds of the group, or of a group with a longer name, say nothing.
        ("argoproj.io/v1alpha1/Workflow", "argoproj.io/v2/WorkflowTemplate", True),
        ("kubeflow.org/v1beta1/ScheduledWorkflow", "pipelines.kubeflow.org/v2beta1/ScheduledWorkflow", True),
    ],
)
def test_definitions_of_another_version_are_refused(helm: Any, kind: str, served: str, fits: bool) -> None:
    """Helm leaves definitions alone that are there, so they must serve what the engines speak."""
    done = helm.run(f"--api-versions={served}")
    assert (done.returncode == 0) is fits
    if not fits:
        assert f"as {served} only" in done.stderr
        assert f"{kind} is needed" in done.stderr
        assert helm.run(f"--api-versions={served}", "--set=preflight.crds=false").returncode == 0


SCHEMA = [
    ("nope=1", "nope"),
    ("minio.nope=1", "nope"),
    ("images.global.nope=1", "global"),
    ("pipeline.steps.train.gpu.count=1", "train"),
    ("pipeline.settings.training.epoch=2", "epoch"),
    ("pipeline.settings.training.device=tpu", "device"),
    ("minio.replicas=many", "replicas"),
    ("minio.persistence.size=big", "size"),
    ("global.networkPolicy.scope=cluster", "scope"),
    ("images.stages.digest=sha256:abc", "digest"),
    ("global.database.user=x;DROP", "user"),
    ("kubeflowPipelines.steps.runAsUser=0", "runAsUser"),
    ("events.mode=push", "mode"),
    ("events.bus.replicas=2", "replicas"),
    ("events.rules[0].nope=1", "nope"),
    ("events.limits.concurrentRuns=0", "concurrentRuns"),
    ("events.notifications.about[0]=rain", "about"),
]


@pytest.mark.parametrize(("values", "key"), SCHEMA)
def test_schema_refuses(helm: Any, values: str, key: str) -> None:
    """An unknown key or a value of the wrong kind never reaches the templates."""
    done = helm.run(f"--set={values}")
    assert done.returncode != 0
    assert "schema" in done.stderr
    assert key in done.stderr
