"""The cluster at hand: from inside a pod, or by KUBECONFIG."""

from __future__ import annotations

from kubepipe.errors import SettingsError


def connect() -> str:
    """Configure the Kubernetes client; the namespace it works in.

    Raises:
        SettingsError: There is neither a pod's token nor a kubeconfig.
    """
    from kubernetes import config
    from kubernetes.config.config_exception import ConfigException

    try:
        config.load_incluster_config()
    except ConfigException:
        try:
            config.load_kube_config()
            _, active = config.list_kube_config_contexts()
        except (ConfigException, OSError) as error:
            raise SettingsError(
                "no cluster is configured", remedy="Set KUBECONFIG to the kubeconfig of your cluster"
            ) from error
        return str(active["context"].get("namespace", "default"))
    with open("/var/run/secrets/kubernetes.io/serviceaccount/namespace", encoding="utf-8") as file:  # noqa: PTH123
        return file.read().strip()
