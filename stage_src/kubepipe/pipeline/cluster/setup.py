"""After an install or an upgrade: buckets, notifications, users, public keys of permits and models, the pipeline.

The configuration is the JSON document that the chart renders (its form: charts/kubepipe/files/README.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubepipe.errors import SettingsError
from kubepipe.pipeline.cluster.keys import publish_model_key, publish_permit_key
from kubepipe.pipeline.cluster.notifications import set_notification
from kubepipe.pipeline.cluster.register import prune, register
from kubepipe.pipeline.cluster.stores import make_buckets, make_users, wait_for_store
from kubepipe.pipeline.kfp_api import KfpApi

Say = Callable[[str], None]


def read_config(file: Path) -> dict[str, Any]:
    """The configuration of a hook.

    Raises:
        SettingsError: The file is missing or no JSON object.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError("is no readable JSON", place=str(file), remedy="Render the chart again") from error
    if not isinstance(value, dict):
        raise SettingsError("is no JSON object", place=str(file), remedy="Render the chart again")
    return value


def set_up(config: Mapping[str, Any], say: Say) -> None:
    """Make everything that a release needs beyond its objects.

    Raises:
        KubePipeError: A dependency does not answer in time, or refuses.
    """
    seconds = float(config.get("timeoutSeconds", 300))
    admin = next((each["secret"] for each in config.get("accounts", []) if each["name"] == "admin"), None)
    client = wait_for_store(config["s3"], seconds, admin)
    for bucket in config["buckets"]:
        say(f"bucket {bucket['name']}: {make_buckets(client, bucket, config['s3']['region'])}")
    for rule in config.get("notifications", []):
        say(f"notification of bucket {rule['bucket']}: {set_notification(client, rule)}")
    for user in config.get("users", []):
        make_users(config["s3"], user)
        say(f"user with policy {user['policy']}: set")
    if "keys" in config:
        publish_permit_key(config["keys"])
        say(f"public key of permits: in ConfigMap {config['keys']['publicKeyConfigMap']}")
    if "signing" in config:
        publish_model_key(config["signing"])
        say(f"public key of models: in ConfigMap {config['signing']['publicKeyConfigMap']}")
    if "pipeline" in config:
        api = KfpApi(config["kfp"]["endpoint"])
        api.wait(seconds)
        version, new = register(api, config["pipeline"])
        say(f"pipeline {config['pipeline']['name']}: version {version} {'registered' if new else 'is there already'}")
        say(f"older versions: {prune(api, config['pipeline'], version)} deleted")
