"""A port of this machine that leads to a pod of a service, as `kubectl port-forward` does."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from kubepipe.errors import KubePipeError

_CHUNK: Final = 1 << 16


@contextmanager
def forwarded(namespace: str, service: str, port: int) -> Iterator[str]:
    """Address on the loopback interface that leads to a ready pod of the service while the context lasts.

    Raises:
        KubePipeError: The service has no ready pod.
    """
    pod, target = _ready_pod(namespace, service, port)
    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(server, namespace, pod, target), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        # Closing alone does not wake a thread that waits for a connection.
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def _ready_pod(namespace: str, service: str, port: int) -> tuple[str, int]:
    from kubernetes import client

    try:
        endpoints = client.CoreV1Api().read_namespaced_endpoints(service, namespace)
        described = client.CoreV1Api().read_namespaced_service(service, namespace)
    except client.ApiException as error:
        raise KubePipeError(
            f"service {service} cannot be read ({error.status} {error.reason})", place=f"namespace {namespace}"
        ) from error
    name = next((each.name for each in described.spec.ports if each.port == port), None)
    for subset in endpoints.subsets or []:
        target = next((each.port for each in subset.ports if each.name == name), None)
        for address in subset.addresses or []:
            if target is not None and address.target_ref is not None:
                return address.target_ref.name, target
    raise KubePipeError(
        f"service {service} has no ready pod",
        place=f"namespace {namespace}",
        remedy="Look at its pods: kubectl get pods",
    )


def _serve(server: socket.socket, namespace: str, pod: str, port: int) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_pump, args=(connection, namespace, pod, port), daemon=True).start()


def _pump(connection: socket.socket, namespace: str, pod: str, port: int) -> None:
    from kubernetes import client
    from kubernetes.stream import portforward

    # Each connection gets a client of its own: the library patches the one it streams with.
    api = client.CoreV1Api(client.ApiClient())
    with suppress(OSError), connection:
        forward = portforward(api.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port))
        remote = forward.socket(port)
        remote.setblocking(True)
        _copy(connection, remote)
        remote.close()


def _copy(left: Any, right: Any) -> None:
    other = {left: right, right: left}
    while True:
        for ready in select.select([left, right], [], [])[0]:
            data = ready.recv(_CHUNK)
            if not data:
                return
            other[ready].sendall(data)
