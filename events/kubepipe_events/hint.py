"""A fast hint beside the durable path: MinIO's stream of bucket events.

Nothing relies on it. It loses events whenever the stream is down; what it tells is made under the same name as by the
sensor, so the durable path and the sweep find it done.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from kubepipe.storage.s3 import s3_client
from kubepipe_events.config import Rule
from kubepipe_events.identity import Source
from kubepipe_events.rules import judge
from kubepipe_events.sweep import make
from kubepipe_events.world import World, words_of

_LOG = structlog.get_logger(__name__)
_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 300.0


def listen(world: World, bucket: str, rules: Sequence[Rule], stop: threading.Event) -> None:
    """Make DatasetRuns as the store tells of objects, until told to stop."""
    pause = _PAUSE_SECONDS
    while not stop.is_set():
        try:
            with s3_client().listen_bucket_notification(bucket, events=("s3:ObjectCreated:*",)) as events:
                for event in events:
                    pause = _PAUSE_SECONDS
                    for record in event.get("Records") or ():
                        source = source_of(record)
                        if judge(rules, source.key, source.size).action != "ignore":
                            make(world, source, "upload")
                    if stop.is_set():
                        return
        except Exception as error:  # noqa: BLE001 - whatever it is, the durable path does the work
            _LOG.info("no hints", error=words_of(error), again_in=pause)
        stop.wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def source_of(record: Mapping[str, Any]) -> Source:
    """The version that a record of the stream is about; its keys are not URL-encoded, unlike those of webhooks."""
    stored = record["s3"]["object"]
    return Source.make(
        record["s3"]["bucket"]["name"], stored["key"], stored.get("versionId"), stored.get("eTag"), stored.get("size")
    )
