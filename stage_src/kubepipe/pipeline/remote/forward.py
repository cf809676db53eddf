"""A port of this machine that leads to a pod of a service, as `kubectl port-forward` does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from kubepipe.errors import KubePipeError

if TYPE_CHECKING:
    import websocket

_CHUNK: Final = 1 << 16
_DATA: Final = b"\x00"


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
    """Carry one connection, each direction in a thread of its own.

    The client library gathers what comes in one growing buffer, which takes minutes for the weights of a model;
    here each frame goes on as it comes.
    """
    # Comes with the Kubernetes client, which images of steps lack.
    import websocket

    with suppress(OSError, websocket.WebSocketException), connection:
        remote = _open(namespace, pod, port)
        threading.Thread(target=_carry_in, args=(remote, connection), daemon=True).start()
        try:
            while data := connection.recv(_CHUNK):
                remote.send_binary(_DATA + data)
        finally:
            remote.close()


def _carry_in(remote: websocket.WebSocket, connection: socket.socket) -> None:
    """From the pod: the first frame of each channel names the port, what follows on the first channel is data."""
    import websocket

    greeted = set()
    with suppress(OSError, websocket.WebSocketException):
        while True:
            opcode, frame = remote.recv_data_frame(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            if opcode != websocket.ABNF.OPCODE_BINARY or not frame.data:
                continue
            channel, data = frame.data[:1], frame.data[1:]
            if channel not in greeted:
                greeted.add(channel)
            elif channel == _DATA:
                connection.sendall(data)
            else:
                break
    # Wakes the other thread, which waits for the near side.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _open(namespace: str, pod: str, port: int) -> websocket.WebSocket:
    """The WebSocket that the API server carries a port over (protocol v4.channel.k8s.io)."""
    from kubernetes import client
    from kubernetes.stream import ws_client

    configuration = client.ApiClient().configuration
    credentials = configuration.auth_settings().values()
    headers = {each["key"].lower(): each["value"] for each in credentials if each["in"] == "header"}
    address = f"{configuration.host}/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    url = ws_client.get_websocket_url(address, [("ports", str(port))])
    return ws_client.create_websocket(configuration, url, headers)
