"""ML Metadata takes connections."""

# ruff: noqa: INP001 - a script of its own

import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
socket.create_connection((host, port), timeout=20).close()
