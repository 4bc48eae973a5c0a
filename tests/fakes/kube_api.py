"""A small Kubernetes API server that real kubectl works with.

The shop in it is a Deployment of two pods; a test adds what it needs, and switches on what goes wrong.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.kube_api_controller import Controller
from tests.fakes.kube_api_kinds import discovery
from tests.fakes.kube_api_objects import NAMESPACE, deployment, pod
from tests.fakes.kube_api_protobuf import PREFIX, decoded
from tests.fakes.kube_api_requests import Request, carry_out, log_lines, place_of, to_request
from tests.fakes.kube_api_selectors import is_selected
from tests.fakes.kube_api_store import Refused, Store

POD = f"/api/v1/namespaces/{NAMESPACE}/pods/checkout-1"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/checkout"
_KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: fake
contexts: [{{name: fake, context: {{cluster: fake, user: fake}}}}]
clusters: [{{name: fake, cluster: {{server: "{address}"}}}}]
users: [{{name: fake, user: {{}}}}]
"""


@dataclass
class Trouble:
    """What goes wrong with requests whose method and address match."""

    status: int | None
    """None: it accepts and never answers."""
    method: str = ""
    path: str = ""
    reason: str = ""
    message: str = "this is what a test wants"

    def concerns(self, request: Request) -> bool:
        """Whether it is about this request; dry runs and the plain call are the same here."""
        return self.method in {"", request.method} and self.path in request.path


@dataclass
class KubeApi:
    """What the cluster holds, and what it was asked: method, path, query, body."""

    address: str = ""
    store: Store = field(default_factory=Store)
    troubles: list[Trouble] = field(default_factory=list)
    logs: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    """By pod; what stands under an empty name is in every pod's log."""
    requests: list[tuple[str, str, str, Any]] = field(default_factory=list)
    closing: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        """Open the shop."""
        self.controller = Controller(self.store)
        self._lock = RLock()
        self.add({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": NAMESPACE}})
        self.add(deployment())
        self.add(pod("checkout-1", app="lonely"))

    def add(self, found: dict[str, Any]) -> Any:
        """Put an object into the cluster."""
        with self._lock:
            created = self.store.create(found)
            self.controller.reconcile()
            return created

    def change(self, kind: str, name: str, **spec: Any) -> None:
        """What somebody else does to an object meanwhile."""
        with self._lock:
            found = self.get(kind, name)
            found["spec"] |= spec
            self.store.update(found)
            self.controller.reconcile()

    def get(self, kind: str, name: str) -> Any:
        """An object of the shop, or of the cluster."""
        namespace = "" if kind == "Node" else NAMESPACE
        return self.store.get(kind, namespace, name)

    def has(self, kind: str, name: str) -> bool:
        """Whether there is such an object."""
        return any(found["metadata"]["name"] == name for found in self.store.list(kind))

    def reconcile(self) -> None:
        """Let the controllers look again, after a switch of theirs was changed."""
        with self._lock:
            self.controller.reconcile()

    def log(self, line: str, pod_name: str = "") -> None:
        """Write into a pod's log, or into all."""
        self.logs.setdefault(pod_name, []).append((datetime.now(UTC), line))

    @property
    def replicas(self) -> int:
        return int(self.get("Deployment", "checkout")["spec"]["replicas"])

    @property
    def image(self) -> str:
        spec = self.get("Deployment", "checkout")["spec"]["template"]["spec"]
        return str(spec["containers"][0]["image"])

    @property
    def restarted_at(self) -> str | None:
        template = self.get("Deployment", "checkout")["spec"]["template"]
        annotations: dict[str, str] = template["metadata"].get("annotations", {})
        return annotations.get("kubectl.kubernetes.io/restartedAt")

    @property
    def has_pod(self) -> bool:
        return self.has("Pod", "checkout-1")

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was really written: no dry runs."""
        return [
            (method, path)
            for method, path, query, body in list(self.requests)
            if method != "GET" and not to_request(method, path, query, body, "").is_dry
        ]

    def write_kubeconfig(self, path: Path) -> Path:
        path.write_text(_KUBECONFIG.format(address=self.address), encoding="utf-8")
        return path

    def answer(self, request: Request) -> tuple[int, Any]:
        """Status and body of the answer to anything but a watch; a text is a log."""
        if found := discovery(request.path):
            return 200, found
        for trouble in list(self.troubles):
            if trouble.concerns(request):
                if trouble.status is None:
                    self.closing.wait()
                return _status(trouble.status or 503, trouble.reason, trouble.message)
        try:
            with self._lock:
                if request.path.endswith("/log"):
                    return 200, self._log(request)
                answered = carry_out(self.store, request)
                if request.method != "GET" and not request.is_dry:
                    self.controller.reconcile()
                return answered
        except Refused as error:
            return _status(error.code, error.reason, str(error))

    def watched(self, request: Request) -> Iterator[Any]:
        """What happens from now on, until the client has enough or the test is over."""
        place = place_of(request.path)
        version = int(request.query.get("resourceVersion") or self.store.version)
        labels, fields = (request.query.get(f"{name}Selector", "") for name in ("label", "field"))
        while not self.closing.is_set():
            for at, what, found in self.store.changes_after(version, place.kind):
                version = at
                is_here = place.namespace in {"", found["metadata"].get("namespace")}
                if is_here and is_selected(found, labels, fields):
                    yield {"type": what, "object": found}
            with self.store.changed:
                self.store.changed.wait(0.2)

    def _log(self, request: Request) -> str:
        place = place_of(request.path)
        self.store.get("Pod", place.namespace, place.name)
        lines = sorted([*self.logs.get("", ()), *self.logs.get(place.name, ())])
        return log_lines(lines, request.query)


@contextmanager
def open_kube_api() -> Iterator[KubeApi]:
    """A server on a free port of this machine."""
    api = KubeApi()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(api))
    server.daemon_threads = True
    server.block_on_close = False
    api.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.closing.set()
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


def _handler_of(api: KubeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers every method from the state of the fake."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            body = decoded(raw) if raw.startswith(PREFIX) else json.loads(raw or b"null")
            api.requests.append((self.command, split.path, split.query, body))
            content_type = self.headers.get("Content-Type") or ""
            request = to_request(self.command, split.path, split.query, body, content_type)
            if request.query.get("watch") in {"1", "true"}:
                self._watch(request)
                return
            status, found = api.answer(request)
            is_text = isinstance(found, str)
            content = found.encode() if is_text else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if is_text else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _watch(self, request: Request) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            # The client leaves when it has seen enough.
            with suppress(OSError):
                for line in (json.dumps(event).encode() + b"\n" for event in api.watched(request)):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in ("PATCH", "PUT", "DELETE", "POST"):
        setattr(Handler, f"do_{method}", Handler.do_GET)
    return Handler


def _status(code: int, reason: str, message: str) -> tuple[int, Any]:
    reasons = {401: "Unauthorized", 403: "Forbidden", 409: "Conflict", 500: "InternalError"}
    return code, {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason or reasons.get(code, ""),
        "message": message,
        "code": code,
    }
