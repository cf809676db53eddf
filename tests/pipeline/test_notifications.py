"""The rule on a bucket that makes the store report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from minio.error import S3Error
from minio.notificationconfig import NotificationConfig, PrefixFilterRule, QueueConfig
from minio.xml import marshal, unmarshal

from kubepipe.errors import KubePipeError
from kubepipe.pipeline.cluster.notifications import set_notification

OURS = "arn:minio:sqs::KUBEPIPE:webhook"
THEIRS = "arn:minio:sqs::THEIRS:webhook"
RULE = {"bucket": "incoming", "id": "kubepipe-models-kubepipe", "arn": OURS, "enabled": True}


@dataclass
class Bucket:
    """A bucket's notifications as MinIO keeps them: as XML, with its region in every ARN, for targets that it knows."""

    text: bytes = marshal(NotificationConfig())
    writes: int = 0

    def get_bucket_notification(self, bucket: str) -> NotificationConfig:
        """As the client does."""
        assert bucket == "incoming"
        return unmarshal(NotificationConfig, self.text.decode())

    def set_bucket_notification(self, bucket: str, config: NotificationConfig) -> None:
        """As the client does."""
        assert bucket == "incoming"
        text = marshal(config)
        if b":NOWHERE:" in text:
            raise S3Error(None, "InvalidArgument", "no such ARN", "", "", "")  # type: ignore[arg-type]
        self.text = text.replace(b"sqs::", b"sqs:us-east-1:")
        self.writes += 1


def queues(bucket: Bucket) -> list[tuple[Any, ...]]:
    """The rules of a bucket."""
    found = bucket.get_bucket_notification("incoming").queue_config_list
    return [(each.config_id, each.queue, list(each.events), each.prefix_filter_rule) for each in found]


def test_made_once() -> None:
    """A second time finds the rule and writes nothing."""
    bucket = Bucket()
    assert [set_notification(bucket, RULE) for _ in range(3)] == ["made", "there", "there"]
    assert bucket.writes == 1
    assert queues(bucket) == [(RULE["id"], "arn:minio:sqs:us-east-1:KUBEPIPE:webhook", ["s3:ObjectCreated:*"], None)]


def test_rules_of_others_stay() -> None:
    """Making and removing ours leaves the rule of somebody else as it was."""
    bucket = Bucket()
    theirs = QueueConfig(
        queue=THEIRS, events=["s3:ObjectRemoved:*"], config_id="theirs", prefix_filter_rule=PrefixFilterRule("a/")
    )
    bucket.set_bucket_notification("incoming", NotificationConfig(queue_config_list=[theirs]))
    before = queues(bucket)
    assert set_notification(bucket, RULE) == "made"
    assert queues(bucket)[: len(before)] == before
    assert set_notification(bucket, {**RULE, "enabled": False}) == "removed"
    assert queues(bucket) == before
    assert set_notification(bucket, {**RULE, "enabled": False}) == "none"


def test_an_older_rule_is_replaced() -> None:
    """A rule with our target under another name goes: the store would refuse a second one for the same events."""
    bucket = Bucket()
    older = QueueConfig(queue=OURS, events=["s3:ObjectCreated:Put"], config_id="older")
    bucket.set_bucket_notification("incoming", NotificationConfig(queue_config_list=[older]))
    assert set_notification(bucket, RULE) == "made"
    assert [each[0] for each in queues(bucket)] == [RULE["id"]]


def test_unknown_target() -> None:
    """A store that does not know the target says so, with the value to set."""
    with pytest.raises(KubePipeError, match=r"events\.webhook\.arn"):
        set_notification(Bucket(), {**RULE, "arn": "arn:minio:sqs::NOWHERE:webhook"})
