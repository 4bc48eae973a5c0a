"""Real servers for tests: free ports, the product as its own process, an app behind a socket."""

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

REPOSITORY = Path(__file__).resolve().parents[2]
START_LIMIT_SECONDS = 30.0
STOP_LIMIT_SECONDS = 15.0


def free_port() -> int:
    """A port below the range from which the system gives out ports by itself."""
    for _ in range(200):
        port = random.randint(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port between 20000 and 30000")


@dataclass(frozen=True)
class RunningProduct:
    """A started product: where it answers, where it stores, what it printed."""

    process: subprocess.Popen[bytes]
    port: int
    approval_port: int
    data_dir: Path
    logs_dir: Path
    output: Path
    has_approval_server: bool = True
    """Whether the approval server is part of it, and not an external one."""

    @property
    def url(self) -> str:
        """The backend's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def approval_url(self) -> str:
        """The approval server's address."""
        return f"http://127.0.0.1:{self.approval_port}"

    def printed(self) -> str:
        """Everything that the process printed so far."""
        return self.output.read_text(errors="replace")

    def terminate(self) -> int:
        """Ask it to stop, as a service manager would, and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_LIMIT_SECONDS)

    def kill(self) -> None:
        """Take the power away."""
        self.process.kill()
        self.process.wait(STOP_LIMIT_SECONDS)


def product_environment(root: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """A complete environment with nothing of the developer's own settings in it."""
    inherited = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return inherited | {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "PYTHONPATH": str(REPOSITORY),
        "PORT": str(free_port()),
        "APPROVAL_PORT": str(free_port()),
        "DATA_DIR": str(root / "data"),
        "LOGS_DIR": str(root / "logs"),
        **settings,
    }


def start_process(
    command: list[str], root: Path, environment: dict[str, str], folder: Path | None = None
) -> RunningProduct:
    """Start the product by a command without waiting for it."""
    root.mkdir(parents=True, exist_ok=True)
    output = root / "printed.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=folder or root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    return RunningProduct(
        process=process,
        port=int(environment["PORT"]),
        approval_port=int(environment["APPROVAL_PORT"]),
        data_dir=Path(environment["DATA_DIR"]),
        logs_dir=Path(environment["LOGS_DIR"]),
        output=output,
        has_approval_server="MCP_SERVER_URL" not in environment,
    )


def answers(port: int, path: str = "/health") -> bool:
    """Whether a server answers 200 there now."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_healthy(product: RunningProduct) -> bool:
    """Whether the backend answers, and the approval server where it is part of the product."""
    return answers(product.port) and (
        not product.has_approval_server or answers(product.approval_port, "/")
    )


def wait_until_healthy(product: RunningProduct, limit: float = START_LIMIT_SECONDS) -> None:
    """Return when both servers answer; an early exit or a late start is an error with the output."""
    deadline = time.monotonic() + limit
    while not is_healthy(product):
        try:
            product.process.wait(0.05)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
        who = "approval server" if answers(product.port) else "product"
        raise AssertionError(f"the {who} did not start:\n{product.printed()}")
    # Somebody else may have been given the same port meanwhile, and be who answers.
    assert product.process.poll() is None, product.printed()


@contextmanager
def running_product(root: Path, **settings: str) -> Iterator[RunningProduct]:
    """`python -m app serve` on free ports; settings are given by their environment names."""
    environment = product_environment(root, settings)
    product = start_process([sys.executable, "-m", "app", "serve"], root, environment)
    try:
        wait_until_healthy(product)
        yield product
    finally:
        stop(product)


def stop(product: RunningProduct) -> None:
    """End it in any case."""
    try:
        product.terminate()
    except subprocess.TimeoutExpired:
        product.kill()


@contextmanager
def serving(app: object) -> Iterator[str]:
    """An ASGI application behind a real loopback socket, in a thread; gives its address."""
    listener = socket.create_server(("127.0.0.1", free_port()))
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STOP_LIMIT_SECONDS)
        listener.close()
