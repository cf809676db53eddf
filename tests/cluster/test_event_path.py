"""The way of an object: PUT, the store's notification, event source, bus, sensor, DatasetRun.

It works on the release that KUBEPIPE_TEST_NAMESPACE holds, else on one of its own. The controller is away meanwhile, so
that nothing runs; what the tests put into the bucket and made of it is removed before it comes back.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubepipe.pipeline.cluster.connection import connect
from kubepipe.pipeline.cluster.notifications import set_notification
from kubepipe.pipeline.remote import find_release
from kubepipe.pipeline.remote.forward import forwarded

from .conftest import Cluster

pytestmark = pytest.mark.cluster

GROUP = ("kubepipe.io", "v1alpha1")
PATIENCE = 90.0
QUIET = 30.0  # far below the time for which the sensor tries again
PART = 5 * 2**20
ODD = {
    "space": "a folder/a data set.json",
    "unicode": "ünï/日本語 🙂.jsonl",
    "percent": "100%/50%25%2F.json",
    "plus": "a+b/c++.json",
    "query": "a&b=c?d#e;f.json",
    "quotes": 'it\'s/"quoted" `x` $(y) {{ .z }}.json',
    "brackets": "<tag>/[1]/{2}.json",
    "dots": "v1.2.3/data.set.json",
}
IGNORED = ["half.part", "half.tmp", ".hidden", "_SUCCESS", "kubepipe.yaml", "~lock.json"]


def expected_name(source: Mapping[str, Any]) -> str:
    """Name of the DatasetRun of a version of an object: the formula, written out once more."""
    identity = source["versionId"] or f"{source['etag']}-{source['size']}"
    text = f"{source['bucket']}/{source['key']}#{identity}"
    return "ds-" + hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass
class EventPath:
    """The way of objects of one release, with the means to look at both ends."""

    namespace: str
    bucket: str
    store: Any
    hook: str
    token: str
    api: Any
    prefix: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:8]}/")

    def put(self, key: str, data: bytes = b"{}", **options: Any) -> dict[str, Any]:
        """Write an object; the source that its DatasetRun must name."""
        full = self.prefix + key
        done = self.store.put_object(self.bucket, full, io.BytesIO(data), len(data), **options)
        return self.source(full, done.etag, len(data), done.version_id)

    def source(self, key: str, etag: str, size: int, version: str | None) -> dict[str, Any]:
        """A source as a DatasetRun holds it."""
        known = version if version and version != "null" else ""
        return {"bucket": self.bucket, "key": key, "versionId": known, "etag": etag.strip('"'), "size": size}

    def runs(self) -> dict[str, dict[str, Any]]:
        """DatasetRuns of this test's objects by name."""
        items = self.api.list_namespaced_custom_object(*GROUP, self.namespace, "datasetruns")["items"]
        return {
            each["metadata"]["name"]: each
            for each in items
            if each["spec"]["source"]["key"].startswith(self.prefix) or self.prefix in each["spec"]["source"]["key"]
        }

    def wait_for(self, sources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """The DatasetRuns, once those of all sources are there."""
        wanted = {expected_name(each) for each in sources}
        deadline = time.monotonic() + PATIENCE
        while not wanted <= set(found := self.runs()):
            missing = [each for each in sources if expected_name(each) not in found]
            assert time.monotonic() < deadline, f"never made: {missing}; there: {[r['spec'] for r in found.values()]}"
            time.sleep(0.2)
        return found

    def post(self, body: object, token: str | None) -> int:
        """Status of the event source's answer to a notification."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(self.hook, json.dumps(body).encode(), headers)  # noqa: S310 - our own port
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def notification(source: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """What the store says of a source."""
    entry = {"key": "escaped", "size": source["size"], "eTag": source["etag"], "versionId": source["versionId"]}
    record = {"s3": {"bucket": {"name": source["bucket"]}, "object": {**entry, **changes}}}
    return {"EventName": "s3:ObjectCreated:Put", "Key": f"{source['bucket']}/{source['key']}", "Records": [record]}


@pytest.fixture(scope="module")
def release(request: pytest.FixtureRequest, api: Any) -> Cluster:
    """The release that is named, or one of its own."""
    assert api
    named = os.environ.get("KUBEPIPE_TEST_NAMESPACE")
    cluster: Cluster = Cluster(named) if named else request.getfixturevalue("cluster")
    return cluster


@pytest.fixture(scope="module")
def path(release: Cluster) -> Iterator[EventPath]:
    """The way of objects, with the controller away."""
    from kubernetes import client
    from minio import Minio

    connect()
    namespace, setup = release.namespace, find_release(release.namespace).setup
    apps, objects = client.AppsV1Api(), client.CustomObjectsApi()
    selector = "app.kubernetes.io/name=kubepipe,app.kubernetes.io/component=events"
    (controller,) = apps.list_namespaced_deployment(namespace, label_selector=selector).items
    server = _store(apps, namespace)
    environment = {each.name: each.value_from.secret_key_ref for each in server.env if each.value_from}
    user, password, token = (
        release.secret(environment[name].name)[environment[name].key].decode()
        for name in ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_KUBEPIPE")
    )
    host = setup["events"]["endpoint"].split("/")[2]
    rule = setup["notifications"][0]
    with ExitStack() as stack:
        _scale(apps, namespace, controller.metadata.name, 0)
        stack.callback(_scale, apps, namespace, controller.metadata.name, 1)
        address = stack.enter_context(forwarded(namespace, setup["s3"]["endpoint"].partition(".")[0], 9000))
        hook = stack.enter_context(forwarded(namespace, host.partition(".")[0], 12000))
        store = Minio(address, access_key=user, secret_key=password, secure=False)
        if not store.bucket_exists(rule["bucket"]):
            store.make_bucket(rule["bucket"])
        set_notification(store, rule)
        assert set_notification(store, rule) == "there"
        way = EventPath(namespace, rule["bucket"], store, f"http://{hook}/objects", token, objects)
        stack.callback(_forget, way)
        _warm_up(way)
        yield way


def _store(apps: Any, namespace: str) -> Any:
    stores = apps.list_namespaced_stateful_set(
        namespace, label_selector="app.kubernetes.io/name=kubepipe,app.kubernetes.io/component=minio"
    ).items
    return stores[0].spec.template.spec.containers[0]


def _scale(apps: Any, namespace: str, name: str, replicas: int) -> None:
    apps.patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": replicas}})


def _warm_up(way: EventPath) -> None:
    # A sensor hears only what comes after it first subscribed, which nothing in the cluster shows.
    deadline = time.monotonic() + PATIENCE
    number = 0
    while not way.runs():
        assert time.monotonic() < deadline, "the sensor makes nothing"
        way.put(f"warm-up {number}.json")
        number += 1
        time.sleep(3)


def _forget(way: EventPath) -> None:
    for each in list(way.store.list_objects(way.bucket, way.prefix, recursive=True, include_version=True)):
        way.store.remove_object(way.bucket, each.object_name, each.version_id)
    for name in way.runs():
        way.api.delete_namespaced_custom_object(*GROUP, way.namespace, "datasetruns", name)


def _versioning(way: EventPath, status: str) -> None:
    from minio.versioningconfig import VersioningConfig

    way.store.set_bucket_versioning(way.bucket, VersioningConfig(status))


@pytest.fixture(scope="module", params=["unversioned", "suspended", "versioned"])
def state(request: pytest.FixtureRequest, path: EventPath) -> str:
    """The bucket in each state of versioning, in this order, for a bucket never becomes unversioned again."""
    if request.param == "unversioned":
        if path.store.get_bucket_versioning(path.bucket).status not in {None, "Off"}:
            pytest.skip("the bucket of this release has versions: it was made by the setup hook")
    else:
        _versioning(path, "Enabled")
        if request.param == "suspended":
            _versioning(path, "Suspended")
    return str(request.param)


def _exact(path: EventPath, sources: list[dict[str, Any]]) -> None:
    """The DatasetRuns of the sources hold exactly what is known, and the defaults of the definition."""
    found = path.wait_for(sources)
    for each in sources:
        spec = found[expected_name(each)]["spec"]
        assert spec == {"source": each, "trigger": "upload", "suspend": False, "rerun": 0}


def test_odd_keys(path: EventPath, state: str) -> None:
    """Whatever S3 takes as a key becomes a DatasetRun of the name and the source that the formula gives."""
    sources = [path.put(f"{state}/{key}", json.dumps([state, name]).encode()) for name, key in ODD.items()]
    _exact(path, sources)


@pytest.mark.parametrize("letter", ["k", "ü"])
def test_longest_key(path: EventPath, state: str, letter: str) -> None:
    """A key of 1,024 bytes, the longest that S3 knows, works."""
    room = 1024 - len(path.prefix) - len(f"{state}/")
    parts = []
    while room > 0:
        length = min(room, 200)
        parts.append(letter * (length // len(letter.encode())) + "-" * (length % len(letter.encode())))
        room -= length + 1
    key = f"{state}/{'/'.join(parts)}"
    key += "x" * (1024 - len((path.prefix + key).encode()))
    assert len((path.prefix + key).encode()) == 1024
    _exact(path, [path.put(key)])


def test_empty_object(path: EventPath, state: str) -> None:
    """An empty object, of which the store tells no size, has size 0."""
    source = path.put(f"{state}/empty.json", b"")
    assert source["size"] == 0
    _exact(path, [source])


def test_overwrite(path: EventPath, state: str) -> None:
    """Each version of a key is a DatasetRun; the same bytes again are another only where the bucket has versions."""
    key = f"{state}/twice.json"
    sources = [path.put(key, data) for data in (b"[1]", b"[2]", b"[2]")]
    assert len({expected_name(each) for each in sources}) == (3 if state == "versioned" else 2)
    _exact(path, sources)


def test_multipart(path: EventPath, state: str) -> None:
    """An object that came in parts is one DatasetRun, with the store's tag of all parts."""
    source = path.put(f"{state}/large.json", b"x" * (PART + 1), part_size=PART)
    assert source["etag"].endswith("-2")
    _exact(path, [source])


def test_copy(path: EventPath, state: str) -> None:
    """A copy within the store is an object like any other."""
    from minio.commonconfig import CopySource

    origin = path.put(f"{state}/origin.json", b"[3]")
    key = f"{path.prefix}{state}/copy.json"
    done = path.store.copy_object(path.bucket, key, CopySource(path.bucket, origin["key"]))
    found = path.store.stat_object(path.bucket, key)
    _exact(path, [origin, path.source(key, found.etag, found.size, done.version_id)])


def test_ignored(path: EventPath, state: str) -> None:
    """Files that the rules ignore make nothing, and hold nothing up."""
    for name in IGNORED:
        path.put(f"{state}/{name}")
    after = path.put(f"{state}/after.json")
    _exact(path, [after])
    keys = {each["spec"]["source"]["key"] for each in path.runs().values()}
    assert not {f"{path.prefix}{state}/{name}" for name in IGNORED} & keys


def test_duplicates(path: EventPath) -> None:
    """A notification that comes again makes nothing and changes nothing."""
    source = path.put("duplicate.json", b"[4]")
    before = path.wait_for([source])
    for _ in range(3):
        assert path.post(notification(source), path.token) == 200
    last = path.put("after the duplicates.json")
    after = path.wait_for([last])
    after.pop(expected_name(last))
    assert set(after) == set(before)
    name = expected_name(source)
    assert after[name]["metadata"]["resourceVersion"] == before[name]["metadata"]["resourceVersion"]


@pytest.mark.parametrize("token", [None, "wrong"])
def test_forged_without_token(path: EventPath, token: str | None) -> None:
    """A notification without the token is answered 401 and makes nothing."""
    source = path.source(f"{path.prefix}forged.json", "0" * 32, 1, None)
    assert path.post(notification(source), token) == 401
    path.wait_for([path.put(f"after a forged one {token}.json")])
    assert expected_name(source) not in path.runs()


REFUSED: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("another bucket", lambda source: notification({**source, "bucket": "elsewhere"})),
    ("no etag", lambda source: notification(source, eTag="")),
    ("a quote in the etag", lambda source: notification(source, eTag='a"b')),
    ("a negative size", lambda source: notification(source, size=-1)),
    ("a size in words", lambda source: notification(source, size="much")),
    ("too long a key", lambda source: notification({**source, "key": source["key"] + "k" * 1024})),
    ("a deletion", lambda source: {**notification(source), "EventName": "s3:ObjectRemoved:Delete"}),
    ("no record", lambda source: {**notification(source), "Records": []}),
    ("nothing", lambda _: {}),
    ("a list", lambda _: [1]),
]


@pytest.mark.parametrize("make", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_forged_with_token(path: EventPath, make: Callable[[dict[str, Any]], Any]) -> None:
    """Nonsense with the right token makes nothing, and the next object is not held up by it."""
    before = set(path.runs())
    source = path.source(f"{path.prefix}forged/{uuid.uuid4().hex}.json", "0" * 32, 1, None)
    path.post(make(source), path.token)
    start = time.monotonic()
    good = path.put(f"after {uuid.uuid4().hex}.json")
    path.wait_for([good])
    assert time.monotonic() - start < QUIET
    assert set(path.runs()) - before == {expected_name(good)}


GOOD = {"bucket": "incoming", "key": "k.json", "versionId": "", "etag": "e", "size": 1}
NONSENSE: list[tuple[str, dict[str, Any]]] = [
    ("no spec", {}),
    ("no source", {"spec": {}}),
    ("no key", {"spec": {"source": {each: GOOD[each] for each in GOOD if each != "key"}}}),
    ("empty key", {"spec": {"source": {**GOOD, "key": ""}}}),
    ("long key", {"spec": {"source": {**GOOD, "key": "k" * 1025}}}),
    ("no identity", {"spec": {"source": {**GOOD, "etag": ""}}}),
    ("size in words", {"spec": {"source": {**GOOD, "size": "1"}}}),
    ("negative size", {"spec": {"source": {**GOOD, "size": -1}}}),
    ("bucket", {"spec": {"source": {**GOOD, "bucket": "NO"}}}),
    ("trigger", {"spec": {"source": GOOD, "trigger": "magic"}}),
    ("schedule without a tick", {"spec": {"source": GOOD, "trigger": "schedule"}}),
    ("digest", {"spec": {"source": GOOD, "decision": {"verdict": "approved", "by": "x", "datasetDigest": "y"}}}),
]


@pytest.mark.parametrize("body", [row[1] for row in NONSENSE], ids=[row[0] for row in NONSENSE])
def test_nonsense_is_refused(path: EventPath, body: dict[str, Any]) -> None:
    """A DatasetRun that makes no sense is refused by the API server."""
    from kubernetes.client import ApiException

    with pytest.raises(ApiException) as caught:
        _make(path, f"nonsense-{uuid.uuid4().hex[:8]}", body)
    assert caught.value.status == 422


def test_source_cannot_be_changed(path: EventPath) -> None:
    """The source of a DatasetRun stays what it was."""
    from kubernetes.client import ApiException

    source = path.put("fixed.json", b"[5]")
    path.wait_for([source])
    with pytest.raises(ApiException) as caught:
        _patch(path, expected_name(source), {"source": {"size": 7}})
    assert caught.value.status == 422


def test_decision_names_who_decides(path: EventPath) -> None:
    """A decision under another name than that of the caller is refused; under one's own it stays for good."""
    from kubernetes import client

    review = client.AuthenticationV1Api().create_self_subject_review({})
    me = review.status.user_info.username
    source = path.put("decided.json", b"[6]")
    path.wait_for([source])
    name = expected_name(source)
    decision = {"verdict": "approved", "by": "somebody else", "datasetDigest": "sha256:" + "0" * 64}
    with pytest.raises(client.ApiException) as caught:
        _patch(path, name, {"decision": decision})
    assert caught.value.status == 403
    _patch(path, name, {"decision": {**decision, "by": me}})
    with pytest.raises(client.ApiException) as caught:
        _patch(path, name, {"decision": {**decision, "by": me, "verdict": "rejected"}})
    assert caught.value.status == 422


def _make(path: EventPath, name: str, body: dict[str, Any]) -> None:
    document = {"apiVersion": "/".join(GROUP), "kind": "DatasetRun", "metadata": {"name": name}, **body}
    path.api.create_namespaced_custom_object(*GROUP, path.namespace, "datasetruns", document)


def _patch(path: EventPath, name: str, spec: dict[str, Any]) -> None:
    path.api.patch_namespaced_custom_object(*GROUP, path.namespace, "datasetruns", name, {"spec": spec})
