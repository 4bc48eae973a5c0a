"""How long after the logs were sent somebody sees the first event, over HTTP, with the playbooks."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.figures import Figure, percentile, say
from tests.fakes.servers import running_product

LOG = Path(__file__).parents[1] / "data" / "samples" / "crash-loop-bad-config.log"
TRIES = 100


def measure() -> list[Figure]:
    """One at a time: POST, open the stream, first byte of the first event, and on to the end."""
    say(f"first event: {TRIES} workflows over HTTP")
    body, first, whole = LOG.read_bytes(), [], []
    with (
        TemporaryDirectory() as folder,
        running_product(Path(folder)) as product,
        httpx.Client(base_url=f"{product.url}/api/v1", timeout=30) as client,
    ):
        _run(client, body)
        for _ in range(TRIES):
            to_first, to_end = _run(client, body)
            first.append(to_first)
            whole.append(to_end)
    return [
        Figure("POST to the first event, median", percentile(first, 0.5) * 1000, "ms"),
        Figure("POST to the first event, p99", percentile(first, 0.99) * 1000, "ms"),
        Figure("POST to the end, playbooks, median", percentile(whole, 0.5) * 1000, "ms"),
    ]


def _run(client: httpx.Client, body: bytes) -> tuple[float, float]:
    started, first = time.perf_counter(), None
    workflow_id = client.post("/workflows/start", content=body).json()["workflow_id"]
    with client.stream("GET", f"/workflows/{workflow_id}/stream") as stream:
        for line in stream.iter_lines():
            if first is None and line.startswith("data: "):
                first = time.perf_counter() - started
    assert first is not None, "the stream had no event"
    return first, time.perf_counter() - started


if __name__ == "__main__":
    print(*measure(), sep="\n")
