"""Taking a port, with one clear line when it is taken already."""

import socket
import sys

from app.domain.errors import StartupFailed

BACKLOG = 2048
STALLED_MS = 30_000
"""The kernel drops a connection whose other end takes nothing for so long."""
UNSENT_BYTES = 16 * 1024
"""What the kernel keeps for a slow reader, beside what is on its way."""


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A bound socket; raises StartupFailed."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartupFailed(f"HOST {host} cannot be used: {error.strerror}.") from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        _limit_buffers(listener)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartupFailed(
            f"Port {port} cannot be used ({error.strerror}): "
            f"stop the program that has it, or set {setting} to another port."
        ) from error
    return listener


def _limit_buffers(listener: socket.socket) -> None:
    """Connections inherit this; it is known on Linux."""
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
