"""The rule on a bucket that makes the store report new objects to its webhook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kubepipe.errors import KubePipeError

_EVENTS: Final = ["s3:ObjectCreated:*"]


def set_notification(client: Any, rule: Mapping[str, Any]) -> str:
    """Make the store report new objects of a bucket, or stop it; what it did, in words.

    Rules of others on the bucket stay. One that names our target goes: a store takes a target once for the same events.

    Args:
        client: A `minio.Minio` client.
        rule: `bucket`, `id` of the rule, `arn` of the target, and whether it is `enabled`.

    Raises:
        KubePipeError: The store refuses, most likely because it does not know the target.
    """
    from minio.error import S3Error
    from minio.notificationconfig import NotificationConfig, QueueConfig

    present = client.get_bucket_notification(rule["bucket"])
    queues = list(present.queue_config_list or [])
    wanted = [each for each in queues if each.config_id != rule["id"] and _target(each.queue) != _target(rule["arn"])]
    if rule["enabled"]:
        wanted.append(QueueConfig(queue=rule["arn"], events=_EVENTS, config_id=rule["id"]))
    if _facts(wanted) == _facts(queues):
        return "there" if rule["enabled"] else "none"
    others = {"cloud_func_config_list": present.cloud_func_config_list, "topic_config_list": present.topic_config_list}
    try:
        client.set_bucket_notification(rule["bucket"], NotificationConfig(queue_config_list=wanted, **others))
    except S3Error as error:
        raise KubePipeError(
            f"the store refuses to report to {rule['arn']} ({error.code})",
            place=f"bucket {rule['bucket']}",
            remedy="Give the store that webhook target and name it in events.webhook.arn, or set events.mode=poll",
        ) from error
    return "made" if rule["enabled"] else "removed"


def _target(arn: str) -> list[str]:
    """The parts of an ARN without the region, which the store fills in."""
    parts = arn.split(":")
    return [*parts[:3], *parts[4:]]


def _facts(queues: Iterable[Any]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            each.config_id or "",
            _target(each.queue),
            sorted(each.events),
            repr((each.prefix_filter_rule, each.suffix_filter_rule)),
        )
        for each in queues
    )
