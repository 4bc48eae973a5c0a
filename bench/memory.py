"""Whether memory stays flat over many workflows, with the playbooks."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.figures import Figure, say
from tests.fakes.servers import RunningProduct, running_product

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
STEPS = (100, 400, 1000)
AT_ONCE = 8
LIMIT_SECONDS = 180.0


def measure() -> list[Figure]:
    """Resident memory when idle, and after each step."""
    with TemporaryDirectory() as folder, running_product(Path(folder)) as product:
        figures = [Figure("memory when idle", resident_mib(product), "MiB")]
        done = 0
        for step in STEPS:
            say(f"memory: up to {step:,} workflows")
            asyncio.run(_run_many(product.url, step - done))
            done = step
            meaning = f"memory after {step:,} workflows"
            figures.append(Figure(meaning, resident_mib(product), "MiB"))
    return figures


def resident_mib(product: RunningProduct) -> float:
    """The backend alone, without the approval server."""
    command = ["ps", "-o", "rss=", "-p", str(product.process.pid)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout) / 1024


async def _run_many(url: str, count: int) -> None:
    bodies = [path.read_bytes() for path in sorted(SAMPLES.glob("*.log"))]
    waiting = iter([bodies[number % len(bodies)] for number in range(count)])
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=30) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(AT_ONCE):
            group.create_task(_run_each(client, waiting))


async def _run_each(client: httpx.AsyncClient, waiting: Iterator[bytes]) -> None:
    for body in waiting:
        answer = await client.post("/workflows/start", content=body)
        workflow_id = answer.raise_for_status().json()["workflow_id"]
        (await client.get(f"/workflows/{workflow_id}/stream")).raise_for_status()


if __name__ == "__main__":
    print(*measure(), sep="\n")
