"""The lessons' endpoints over a real socket: listed with their evidence, switched, refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from app.api.errors import add_error_pages
from app.api.v1 import lessons
from app.domain.approval import Decision
from tests.fakes.feedback import RESTART, open_learning, plan_of, report_of
from tests.fakes.servers import serving

SENSELESS: list[object] = [{}, {"active": None}, {"active": "perhaps"}, []]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "remediation_feedback.jsonl"


@pytest.fixture
def client(path: Path) -> Iterator[httpx.Client]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_learning(path) as learning:
            app.state.services = SimpleNamespace(lessons=learning.lessons)
            yield

    app = FastAPI(lifespan=lifespan)
    add_error_pages(app)
    version_1 = APIRouter(prefix="/api/v1")
    version_1.include_router(lessons.router)
    app.include_router(version_1)
    with (
        serving(app) as url,
        httpx.Client(base_url=f"{url}/api/v1/feedback", trust_env=False, timeout=10) as opened,
    ):
        yield opened


def reject_restarts(path: Path) -> None:
    async def write() -> None:
        async with open_learning(path) as learning:
            for number in range(4):
                _, approval_id = await learning.plan(number, plan_of(RESTART))
                await learning.recorder.hear(report_of(approval_id, Decision.REJECTED))

    asyncio.run(write())


def listed(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/lessons").json()["lessons"]
    return found


def test_without_decisions_there_are_none(client: httpx.Client):
    assert client.get("/lessons").json() == {"lessons": [], "count": 0, "window": 40}


def test_a_lesson_is_listed_with_its_evidence(client: httpx.Client, path: Path):
    reject_restarts(path)

    (lesson,) = listed(client)

    assert lesson["sentence"] == (
        "In production, rollout restart of a deployment was rejected 4 of 4 times."
    )
    assert (lesson["environment"], lesson["verb"], lesson["target"], lesson["verdict"]) == (
        "production",
        "rollout restart",
        "deployment",
        "rejected",
    )
    assert (lesson["support"], lesson["contradictions"], lesson["active"]) == (4, 0, True)
    assert lesson["certainty"] == pytest.approx(0.597, abs=0.001)
    assert lesson["since"] < lesson["supported_at"]
    assert lesson["contradicted_at"] is None


def test_a_lesson_is_switched_off_and_on_again(client: httpx.Client, path: Path):
    reject_restarts(path)
    (lesson,) = listed(client)

    for active in (False, True):
        answer = client.post(f"/lessons/{lesson['id']}", json={"active": active})

        assert answer.status_code == 200
        assert answer.json() == lesson | {"active": active}
        assert listed(client) == [lesson | {"active": active}]


def test_an_unknown_lesson_is_404_and_a_senseless_switch_422(client: httpx.Client, path: Path):
    reject_restarts(path)
    (lesson,) = listed(client)

    unknown = client.post("/lessons/nothing", json={"active": False})
    senseless = [client.post(f"/lessons/{lesson['id']}", json=body) for body in SENSELESS]

    assert unknown.status_code == 404
    assert unknown.json() == {"detail": "Lesson 'nothing' not found"}
    assert [answer.status_code for answer in senseless] == [422] * 4
    assert listed(client) == [lesson]
