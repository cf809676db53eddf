"""ML Metadata takes connections."""

import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
socket.create_connection((host, port), timeout=20).close()
