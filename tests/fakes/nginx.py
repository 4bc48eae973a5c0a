"""Debian's nginx with a configuration and a folder of its own, as whoever runs the tests."""

import getpass
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from tests.fakes.servers import START_LIMIT_SECONDS, STOP_LIMIT_SECONDS, free_port

PROGRAM = which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
FRAME = """\
%(module)s
user %(user)s;
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 8192; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {
        listen 127.0.0.1:%(port)d;
        %(server)s
    }
}
"""


@dataclass(frozen=True, slots=True)
class RunningNginx:
    """Where it answers, and its processes."""

    port: int
    master: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> list[int]:
        """Master and workers."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text()
        return [self.master, *map(int, children.split())]


@contextmanager
def running_nginx(folder: Path, server: str, module: Path | None = None) -> Iterator[RunningNginx]:
    """Started in this folder with these lines in its server block."""
    assert PROGRAM is not None, "nginx is not installed: apt-get install nginx"
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    values = {
        "module": f"load_module {module};" if module else "",
        "user": getpass.getuser(),
        "port": port,
        "server": server,
    }
    (folder / "nginx.conf").write_text(FRAME % values)
    command = [PROGRAM, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield RunningNginx(port, process.pid)
        finally:
            process.terminate()
            process.wait(STOP_LIMIT_SECONDS)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until a worker answers; the socket is there before the workers are."""
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as plug:
                plug.sendall(b"GET /nothing-here HTTP/1.0\r\n\r\n")
                if plug.recv(1):
                    return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    raise AssertionError("nginx did not start")


def proxy_to(port: int) -> str:
    """A reverse proxy as its documentation shows it, with compression of every type."""
    return f"""
        gzip on;
        gzip_types *;
        location / {{
            proxy_pass http://127.0.0.1:{port};
        }}
    """
