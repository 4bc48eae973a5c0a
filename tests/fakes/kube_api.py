"""A small Kubernetes API server: enough for kubectl to get, scale, restart and delete."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

POD = "/api/v1/namespaces/shop/pods/checkout-1"
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/checkout"
_KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: fake
contexts: [{{name: fake, context: {{cluster: fake, user: fake}}}}]
clusters: [{{name: fake, cluster: {{server: "{address}"}}}}]
users: [{{name: fake, user: {{}}}}]
"""


@dataclass
class KubeApi:
    """What the cluster holds, and what it was asked: method, path, query, body."""

    address: str = ""
    replicas: int = 2
    restarted_at: str | None = None
    has_pod: bool = True
    requests: list[tuple[str, str, str, Any]] = field(default_factory=list)

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _, _ in self.requests if method != "GET"]

    def write_kubeconfig(self, path: Path) -> Path:
        path.write_text(_KUBECONFIG.format(address=self.address), encoding="utf-8")
        return path

    def answer(self, method: str, path: str, query: str, body: Any) -> tuple[int, Any]:
        is_dry = "dryRun=All" in query or bool(body and body.get("dryRun"))
        if method == "GET":
            found = self._discovery(path) or self._object(path)
        elif method == "DELETE" and path == POD and self.has_pod:
            found = self._object(path)
            self.has_pod = is_dry
        elif method in {"PATCH", "PUT"}:
            found = self._changed(path, body, is_dry=is_dry)
        else:
            found = None
        return (200, found) if found else (404, _not_found(path))

    def _changed(self, path: str, body: Any, *, is_dry: bool) -> Any:
        before = self.replicas, self.restarted_at
        if path == f"{DEPLOYMENT}/scale":
            self.replicas = body["spec"]["replicas"]
        elif path == DEPLOYMENT:
            annotations = body["spec"]["template"]["metadata"]["annotations"]
            self.restarted_at = annotations["kubectl.kubernetes.io/restartedAt"]
        found = self._object(path)
        if is_dry:
            self.replicas, self.restarted_at = before
        return found

    def _object(self, path: str) -> Any:
        pods = [_pod()] if self.has_pod else []
        objects = {
            "/api/v1/namespaces/shop/pods": {"kind": "PodList", "apiVersion": "v1", "items": pods},
            DEPLOYMENT: self._deployment(),
            f"{DEPLOYMENT}/scale": self._scale(),
        }
        if self.has_pod:
            objects[POD] = _pod()
        return objects.get(path)

    def _deployment(self) -> Any:
        return {
            "kind": "Deployment",
            "apiVersion": "apps/v1",
            "metadata": _metadata("checkout"),
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": {"app": "checkout"}},
                "template": {
                    "metadata": {"labels": {"app": "checkout"}},
                    "spec": {"containers": [{"name": "app", "image": "checkout:1"}]},
                },
            },
        }

    def _scale(self) -> Any:
        return {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": _metadata("checkout"),
            "spec": {"replicas": self.replicas},
            "status": {"replicas": self.replicas},
        }

    def _discovery(self, path: str) -> Any:
        apps = {"groupVersion": "apps/v1", "version": "v1"}
        return {
            "/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.1"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [{"name": "apps", "versions": [apps], "preferredVersion": apps}],
            },
            "/api/v1": _resources("v1", [("pods", "Pod")]),
            "/apis/apps/v1": _resources(
                "apps/v1", [("deployments", "Deployment"), ("deployments/scale", "Scale")]
            ),
        }.get(path)


@contextmanager
def open_kube_api() -> Iterator[KubeApi]:
    """A server on a free port of this machine."""
    api = KubeApi()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(api))
    server.daemon_threads = True
    api.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
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
            body = json.loads(self.rfile.read(length)) if length else None
            api.requests.append((self.command, split.path, split.query, body))
            status, found = api.answer(self.command, split.path, split.query, body)
            content = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in ("PATCH", "PUT", "DELETE", "POST"):
        setattr(Handler, f"do_{method}", Handler.do_GET)
    return Handler


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "7"}


def _pod() -> dict[str, Any]:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": _metadata("checkout-1"),
        "spec": {"containers": [{"name": "app", "image": "checkout:1"}]},
        "status": {"phase": "Running"},
    }


def _resources(version: str, names: list[tuple[str, str]]) -> dict[str, Any]:
    verbs = ["get", "list", "patch", "update", "delete", "watch"]
    return {
        "kind": "APIResourceList",
        "groupVersion": version,
        "resources": [
            {
                "name": name,
                "singularName": "" if "/" in name else kind.lower(),
                "namespaced": True,
                "kind": kind,
                "verbs": verbs,
            }
            for name, kind in names
        ],
    }


def _not_found(path: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "NotFound",
        "message": f"{path} not found",
        "code": 404,
    }
