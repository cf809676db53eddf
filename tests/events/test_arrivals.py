from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from minio.error import S3Error, ServerError

from kubepipe.errors import SettingsError
from kubepipe.records.claim import Claim, create_claim
from kubepipe_events.arrivals import Arrivals
from kubepipe_events.config import Rule
from kubepipe_events.identity import Source
from kubepipe_events.resources import KubernetesError
from kubepipe_events.sweep import sweep

from .world import MemoryWorld


def _error(code: str) -> S3Error:
    return S3Error(None, code, "", "", "", "")  # type: ignore[arg-type]


class Answer:
    """What `get_object` gives."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.is_closed = False

    def read(self, amount: int) -> bytes:
        return self.data[:amount]

    def close(self) -> None:
        self.is_closed = True

    def release_conn(self) -> None:
        assert self.is_closed


class Client:
    """A store: versions of a key, newest first; None is a delete marker."""

    def __init__(
        self, objects: dict[str, list[str | None]], *, versioned: bool = True, markers_last: bool = False
    ) -> None:
        self.objects = objects
        self.markers_last = markers_last
        self.files: dict[str, bytes] = {}
        self.versioned = versioned
        self.fails: Exception | None = None

    def stat_object(self, bucket: str, key: str, version_id: str | None = None) -> Any:
        if self.fails:
            raise self.fails
        versions = self.objects.get(key, [])
        if version_id is None:
            if not versions or versions[0] is None:
                raise _error("NoSuchKey")
            return self._item(key, versions[0])
        if version_id not in versions:
            raise _error("NoSuchVersion")
        return self._item(key, version_id)

    def get_object(self, bucket: str, key: str) -> Answer:
        if key not in self.files:
            raise _error("NoSuchKey")
        return Answer(self.files[key])

    def list_objects(self, bucket: str, *, recursive: bool, include_version: bool) -> Iterator[Any]:
        assert recursive
        assert include_version
        items = []
        for key, versions in sorted(self.objects.items()):
            for number, version in enumerate(versions):
                item = self._item(key, version or "marker")
                item.is_delete_marker, item.is_latest = version is None, "true" if number == 0 else "false"
                items.append(item)
        yield from sorted(items, key=lambda item: item.is_delete_marker) if self.markers_last else items

    def _item(self, key: str, version: str) -> Any:
        stored = version if self.versioned else None
        return SimpleNamespace(object_name=key, version_id=stored, etag=f'"e-{version}"', size=5)


def test_the_store_says_whether_a_version_is_still_there() -> None:
    """It is found, also behind a newer one; gone when the newest is a delete marker, or it never was."""
    client = Client({"a": ["v2", "v1"], "b": [None, "v1"]})
    arrivals = Arrivals(client)
    found = arrivals.find(Source("incoming", "a", "v1"))
    assert found == Source("incoming", "a", "v1", "e-v1", 5)
    for gone in (Source("incoming", "a", "v9"), Source("incoming", "b", "v1"), Source("incoming", "c", "v1")):
        assert arrivals.find(gone) is None
    assert arrivals.newest("incoming", "a") == Source("incoming", "a", "v2", "e-v2", 5)
    assert arrivals.newest("incoming", "b") is None


def test_without_versions_the_entity_tag_says_it() -> None:
    """Overwritten since is gone."""
    arrivals = Arrivals(Client({"a": ["new"]}, versioned=False))
    assert arrivals.find(Source("incoming", "a", "", "e-new", 5)) is not None
    assert arrivals.find(Source("incoming", "a", "", "e-old", 5)) is None


@pytest.mark.parametrize(
    ("error", "is_gone"),
    [
        (_error("NoSuchKey"), True),
        (_error("MethodNotAllowed"), True),
        (ServerError("server failed with HTTP status code 400", 400), True),
        (ValueError("object name with '.' or '..' path segment is not supported"), True),
        (ServerError("server failed with HTTP status code 503", 503), False),
        (_error("AccessDenied"), False),
        (_error("SlowDown"), False),
    ],
    ids=repr,
)
def test_what_was_made_up_is_gone_and_an_outage_is_none(error: Exception, is_gone: bool) -> None:
    """A version or key that cannot be one stops nothing else; a store that is away is not taken for an empty one."""
    client = Client({"a": ["v1"]})
    client.fails = error
    if is_gone:
        assert Arrivals(client).find(Source("incoming", "a", "v1")) is None
    else:
        with pytest.raises(type(error)):
            Arrivals(client).find(Source("incoming", "a", "v1"))


@pytest.mark.parametrize("markers_last", [False, True])
def test_all_versions_are_listed_but_those_of_deleted_objects(markers_last: bool) -> None:
    """An older delete marker hides nothing: the object came back. Some stores list the markers behind the versions."""
    client = Client({"a": ["v2", "v1"], "b": [None, "v1"], "c": ["v3", None, "v1"]}, markers_last=markers_last)
    listed = [(source.key, source.version_id) for source in Arrivals(client).versions("incoming")]
    assert listed == [("a", "v2"), ("a", "v1"), ("c", "v3"), ("c", "v1")]


def test_the_file_beside_the_data_is_that_of_its_folder() -> None:
    """At the top as in a folder; none is none; one that is too large is refused."""
    client = Client({})
    client.files = {"kubepipe.yaml": b"seed: 1", "ward/kubepipe.yaml": b"seed: 2", "big/kubepipe.yaml": b"#" * 70_000}
    arrivals = Arrivals(client)
    assert arrivals.beside(Source("incoming", "a.jsonl")) == {"seed": 1}
    assert arrivals.beside(Source("incoming", "ward/a.jsonl")) == {"seed": 2}
    assert arrivals.beside(Source("incoming", "ward/deeper/a.jsonl")) == {}
    with pytest.raises(SettingsError, match="larger"):
        arrivals.beside(Source("incoming", "big/a.jsonl"))


RULES = (Rule(),)


def test_the_sweep_makes_what_nobody_told_of() -> None:
    """Neither what has a claim, nor what has a DatasetRun, nor what is no data set; a second sweep finds nothing."""
    outside = MemoryWorld()
    world = outside.world()
    claimed, known = outside.arrivals.put("claimed"), outside.arrivals.put("known")
    create_claim(outside.store, Claim(claimed.name, "incoming", "claimed", version_id=claimed.version_id))
    outside.runs.create(known.name, {"source": known.spec()})
    missed, again = outside.arrivals.put("missed"), outside.arrivals.put("missed")
    outside.arrivals.put("upload.part")
    gone = outside.arrivals.put("gone")
    outside.arrivals.deleted.add("gone")
    assert sweep(world, "incoming", RULES, {known.name}) == 2
    assert set(outside.runs.bodies) == {known.name, missed.name, again.name}
    assert outside.runs.bodies[missed.name]["spec"]["trigger"] == "sweep"
    assert gone.name not in outside.runs.bodies
    assert sweep(world, "incoming", RULES, set(outside.runs.bodies)) == 0


def test_what_came_between_is_no_finding() -> None:
    """The sensor was faster: nothing is made, nothing is counted."""
    outside = MemoryWorld()
    outside.drop("a")
    assert sweep(outside.world(), "incoming", RULES, ()) == 0


@pytest.mark.parametrize(("status", "found"), [(422, 1), (None, None), (503, None), (403, None)])
def test_one_object_that_the_api_refuses_hides_no_other(status: int | None, found: int | None) -> None:
    """The sweep goes on behind it; an outage ends the sweep."""
    outside = MemoryWorld()
    first, _ = outside.arrivals.put("a"), outside.arrivals.put("b")
    make = outside.runs.create

    def create(name: str, *rest: Any) -> bool:
        if name == first.name:
            raise KubernetesError("POST answers", status=status)
        return make(name, *rest)

    outside.runs.create = create  # type: ignore[method-assign]
    if found is None:
        with pytest.raises(KubernetesError):
            sweep(outside.world(), "incoming", RULES, ())
    else:
        assert sweep(outside.world(), "incoming", RULES, ()) == found


def test_ten_thousand_objects_take_a_second() -> None:
    """What is known costs a digest and a look; this holds the sweep to less than linear surprises."""
    outside = MemoryWorld()
    names = {outside.arrivals.put(f"folder/{number}.jsonl").name for number in range(10_000)}
    began = time.process_time()
    assert sweep(outside.world(), "incoming", RULES, names) == 0
    assert time.process_time() - began < 1.5
