"""Taking a port, with one clear line when it is taken already."""

import socket

from app.domain.errors import StartupFailed

BACKLOG = 2048


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
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartupFailed(
            f"Port {port} cannot be used ({error.strerror}): "
            f"stop the program that has it, or set {setting} to another port."
        ) from error
    return listener
