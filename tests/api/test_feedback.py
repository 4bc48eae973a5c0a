"""The feedback endpoints over a real socket, as the earlier system's clients use them."""

import asyncio
import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from app.adapters.storage.memory import MemoryEventLog
from app.api.errors import add_error_pages
from app.api.v1 import feedback
from app.bootstrap.ground import SystemClock
from app.domain.answer import AgentName
from app.domain.approval import MOST_COMMANDS
from app.domain.ids import ApprovalId, FeedbackId
from app.domain.plan import Plan
from app.kubectl.parser import parse
from app.observability.metrics import Metrics
from app.security.signatures import WebhookSignature
from app.security.webhooks import WebhookDoor
from app.workflow.reactions import Reactions
from tests.fakes.approval_app import approval_server
from tests.fakes.approvals import payload
from tests.fakes.feedback import READ, RESTART, UNDO, WORKFLOW, open_learning, plan_of
from tests.fakes.servers import serving
from tests.fakes.waiting import wait_until

SECRET = f"whsec_{base64.b64encode(b'0123456789abcdef0123456789abcdef').decode()}"
LEARNER = AgentName.REMEDIATION
ID = f"{WORKFLOW}_remediation_1"
JSON = {"content-type": "application/json"}
Open = Callable[..., httpx.Client]


def create_feedback_app(path: Path, verifier: WebhookSignature | None) -> FastAPI:
    """The router as the product mounts it, over a real file."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_learning(path) as learning:
            app.state.services = SimpleNamespace(
                metrics=Metrics(),
                feedback=learning.recorder,
                feedback_report=learning.report,
                reactions=Reactions(MemoryEventLog(SystemClock()), learning.report, Metrics()),
                webhook_door=WebhookDoor(verifier),
            )
            yield

    app = FastAPI(lifespan=lifespan)
    add_error_pages(app)
    version_1 = APIRouter(prefix="/api/v1")
    version_1.include_router(feedback.router)
    app.include_router(version_1)
    return app


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feedback" / "remediation_feedback.jsonl"


@pytest.fixture
def open_client(path: Path) -> Iterator[Open]:
    """Starts the server, with or without a webhook secret."""
    with ExitStack() as stack:

        def start(secret: str | None = None) -> httpx.Client:
            verifier = WebhookSignature(secret) if secret else None
            url = stack.enter_context(serving(create_feedback_app(path, verifier)))
            return stack.enter_context(
                httpx.Client(base_url=f"{url}/api/v1/feedback", trust_env=False, timeout=10)
            )

        yield start


@pytest.fixture
def client(open_client: Open) -> httpx.Client:
    return open_client()


def propose(path: Path, number: int, plan: Plan | None = None) -> None:
    """The workflow's side of the same file: a plan, and an approval named after its number."""

    async def write() -> None:
        async with open_learning(path) as learning:
            await learning.plan(number, plan)

    asyncio.run(write())


def link(path: Path, approval_id: str) -> None:
    """The answer to the plan's proposal."""

    async def write() -> None:
        async with open_learning(path) as learning:
            await learning.recorder.link(FeedbackId(ID), ApprovalId(approval_id))

    asyncio.run(write())


def deliveries(folder: Path) -> list[tuple[str, int]]:
    """State and attempts of an approval server's reports."""
    with closing(sqlite3.connect(folder / "approvals.sqlite")) as file:
        return file.execute("SELECT state, attempts FROM reports").fetchall()


def statistics(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/statistics/{LEARNER}").json()["statistics"]
    return found


def decide(client: httpx.Client, **more: object) -> httpx.Response:
    body = {"approval_id": "approval-1", "status": "approved", **more}
    return client.post("/mcp-approval", json=body)


def test_a_rating_is_taken(client: httpx.Client, path: Path):
    propose(path, 1)

    answer = client.post("/submit", json={"feedback_id": ID, "rating": 4, "was_helpful": None})

    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "message": "Feedback submitted successfully",
        "feedback_id": ID,
    }
    assert statistics(client)["average_reward"] == 0.75


def test_a_rating_for_an_unknown_id_is_404(client: httpx.Client):
    answer = client.post("/submit", json={"feedback_id": "nobody", "rating": 4})

    assert answer.status_code == 404
    assert answer.json() == {"detail": "Feedback ID 'nobody' not found"}


SENSELESS_RATINGS: list[object] = [
    {"rating": 4},
    {"feedback_id": ""},
    {"feedback_id": ID, "rating": 0},
    {"feedback_id": ID, "rating": 6},
    {"feedback_id": ID, "rating": "many"},
    {"feedback_id": ID, "was_helpful": "perhaps"},
    {"feedback_id": ID, "feedback_comments": 7},
    [],
    "text",
]


def test_a_rating_that_makes_no_sense_is_422(client: httpx.Client, path: Path):
    propose(path, 1)

    answers = [client.post("/submit", json=body) for body in SENSELESS_RATINGS]

    assert [answer.status_code for answer in answers] == [422] * len(SENSELESS_RATINGS)
    assert all({"type", "loc", "msg"} <= answer.json()["detail"][0].keys() for answer in answers)


def test_half_an_emoji_in_a_comment_is_no_reason_to_lose_it(client: httpx.Client, path: Path):
    propose(path, 1)
    body = {"feedback_id": ID, "improvements_suggested": "thanks \ud83d"}

    answer = client.post("/submit", content=json.dumps(body), headers=JSON)

    assert answer.status_code == 200
    said = client.get(f"/improvements/{LEARNER}").json()["improvement_suggestions"]
    assert said == ["thanks \ufffd"]


def test_half_an_emoji_elsewhere_is_422(client: httpx.Client):
    bodies: list[object] = [{"feedback_id": "\ud83d"}, {"feedback_id": ID, "rating": "\ud83d"}]

    for body in bodies:
        answer = client.post("/submit", content=json.dumps(body), headers=JSON)

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["input"] == "?"


def test_malformed_json_is_422_in_the_same_shape(client: httpx.Client):
    for name in ("/submit", "/mcp-approval"):
        answer = client.post(name, content=b"{", headers=JSON)

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == "json_invalid"


UNUSABLE_JSON = {
    "no number": b'{"feedback_id": "x", "rating": NaN}',
    "endless": b'{"feedback_id": "x", "rating": -Infinity}',
    "too large": b'{"feedback_id": "x", "rating": 1e999}',
    "too long": b'{"feedback_id": "x", "rating": ' + b"9" * 5000 + b"}",
    "open nesting": b"[" * 100_000,
    "deep": b'{"feedback_id": "x", "more": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "not so deep": b'{"more": ' + b"[" * 700 + b"]" * 700 + b"}",
    "no UTF-8": b'{"feedback_id": "caf\xe9"}',
}


@pytest.mark.parametrize("body", UNUSABLE_JSON.values(), ids=UNUSABLE_JSON)
def test_json_that_nothing_can_be_done_with_is_422_too(client: httpx.Client, body: bytes):
    for name in ("/submit", "/mcp-approval"):
        answer = client.post(name, content=body, headers=JSON)

        assert answer.status_code == 422
        (problem,) = answer.json()["detail"]
        assert problem.keys() >= {"type", "loc", "msg", "input"}
        assert problem["type"] == "json_invalid"


@pytest.mark.parametrize(
    ("name", "length", "limit"),
    [("/submit", 270_000, "256 KiB"), ("/mcp-approval", 4_300_000, "4 MiB")],
)
def test_a_body_over_the_limit_is_413(client: httpx.Client, name: str, length: int, limit: str):
    body = json.dumps({"feedback_id": ID, "approval_id": "a", "feedback_comments": "x" * length})

    answer = client.post(name, content=body, headers=JSON)

    assert answer.status_code == 413
    assert limit in answer.json()["detail"]


def test_what_a_hundred_commands_printed_is_no_reason_to_refuse_a_report(
    client: httpx.Client, path: Path
):
    propose(path, 1)
    said = {"command": RESTART, "decision": "approved", "status": "succeeded"}
    commands = [said | {"output": "\x1b" * 4096}] * 100

    assert decide(client, commands=commands).status_code == 200


def test_a_decision_counts_commands(client: httpx.Client, path: Path):
    propose(path, 1, plan_of(*(f"kubectl get pods -n n{number}" for number in range(9)), RESTART))

    answer = decide(client, approved_count=9, rejected_count=1)

    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "message": "Approval status 'approved' recorded successfully",
        "approval_id": "approval-1",
    }
    found = statistics(client)
    assert (found["approved_count"], found["rejected_count"]) == (9, 1)
    assert found["approval_rate"] == 0.9


SEVEN = plan_of(*(f"kubectl get pods -n n{number}" for number in range(6)), RESTART)


@pytest.mark.parametrize(
    ("status", "told", "counted"),
    [
        ("approved", (1_000_000, 0), (MOST_COMMANDS, 0)),
        ("approved", (5, 1_000_000), (5, MOST_COMMANDS - 5)),
        ("approved", (1_000_000, 1_000_000), (MOST_COMMANDS, 0)),
        ("rejected", (0, 1_000_000), (0, MOST_COMMANDS)),
        ("rejected", (1_000_000, 3), (MOST_COMMANDS - 3, 3)),
        ("approved", (9, 2), (9, 2)),
    ],
)
def test_no_more_commands_are_counted_than_a_proposal_holds(
    client: httpx.Client,
    path: Path,
    status: str,
    told: tuple[int, int],
    counted: tuple[int, int],
):
    propose(path, 1, SEVEN)

    answer = decide(client, status=status, approved_count=told[0], rejected_count=told[1])

    assert answer.status_code == 200
    found = statistics(client)
    assert (found["approved_count"], found["rejected_count"]) == counted
    assert found["approval_rate"] == counted[0] / sum(counted)


def verdicts_on_two(client: httpx.Client, path: Path, read: str, restart: str) -> float | None:
    """The reward when the restart is rejected and the read approved, as the sender spells them."""
    propose(path, 1)
    commands = [
        {"command": read, "decision": "approved"},
        {"command": restart, "decision": "rejected", "reason": "Too risky"},
    ]
    assert decide(client, commands=commands).status_code == 200
    (plan,) = client.get(f"/workflow/{WORKFLOW}").json()["feedback_opportunities"]
    found = statistics(client)
    assert (found["approved_count"], found["rejected_count"]) == (1, 1)
    reward: float | None = plan["reward_score"]
    return reward


@pytest.mark.parametrize(
    ("read", "restart"),
    [
        ("kubectl get pod --namespace=shop-prod", parse(RESTART).render()),
        (READ.replace(" ", "  "), f" {RESTART} "),
        ("kubectl get 'pods' -n shop-prod", RESTART.replace("checkout", '"checkout"')),
        (READ.removeprefix("kubectl "), RESTART.replace("-n ", "--namespace ")),
        (f"{READ} --request-timeout=5s", f"{RESTART} --request-timeout=5s"),
    ],
)
def test_a_verdict_counts_however_its_command_is_spelled(
    client: httpx.Client, path: Path, read: str, restart: str
):
    assert verdicts_on_two(client, path, read, restart) == 0.0


def test_a_verdict_counts_in_whatever_order_it_comes(client: httpx.Client, path: Path):
    propose(path, 1, plan_of(RESTART, UNDO))
    undo = {"command": parse(UNDO).render(), "decision": "approved"}
    restart = {"command": parse(RESTART).render(), "decision": "rejected"}

    decide(client, commands=[undo, restart])

    (plan,) = client.get(f"/workflow/{WORKFLOW}").json()["feedback_opportunities"]
    assert plan["reward_score"] == 0.5


@pytest.mark.parametrize(
    ("status", "decision", "reward"),
    [("approved", "approved", 1.0), ("rejected", "rejected", 0.0), ("approved", "undecided", 1.0)],
)
def test_verdicts_on_commands_that_nobody_knows_count_by_their_numbers(
    client: httpx.Client, path: Path, status: str, decision: str, reward: float
):
    propose(path, 1, plan_of(RESTART))
    unknown = {"command": "helm rollback checkout", "decision": decision}

    assert decide(client, status=status, commands=[unknown]).status_code == 200

    (plan,) = client.get(f"/workflow/{WORKFLOW}").json()["feedback_opportunities"]
    assert (plan["approval_status"], plan["reward_score"]) == (status, reward)
    found = statistics(client)
    assert found["learning_examples"] == 1
    assert (found["approved_count"], found["rejected_count"]) == (int(reward), 1 - int(reward))


def test_a_command_is_known_by_its_verdict_without_its_secret(client: httpx.Client, path: Path):
    owned = "kubectl annotate deployment/checkout owner=ada@example.com -n shop-prod"
    propose(path, 1, plan_of(owned, RESTART))
    verdicts = [
        {"command": owned, "decision": "approved"},
        {"command": RESTART, "decision": "rejected"},
    ]

    decide(client, commands=verdicts)

    (plan,) = client.get(f"/workflow/{WORKFLOW}").json()["feedback_opportunities"]
    assert plan["reward_score"] == 0.5


def test_an_old_reward_that_is_no_number_counts_as_the_decision_does(
    client: httpx.Client, path: Path
):
    old = {
        "feedback_id": "old_remediation_1",
        "workflow_id": "old",
        "timestamp": "2029-11-02T10:00:00",
        "input_data": "OOMKilled",
        "output_data": RESTART,
        "approval_status": "approved",
        "approved_commands_count": 1,
    }
    lines = [
        old | {"feedback_id": f"{number}", "reward_score": text}
        for number, text in enumerate(("NaN", "Infinity", "-Infinity"))
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    examples = client.get(f"/top-examples/{LEARNER}").json()["examples"]

    assert [example["reward_score"] for example in examples] == [1.0, 1.0, 1.0]
    assert statistics(client)["learning_examples"] == 3


def test_the_same_decision_twice_is_200_and_counts_once(client: httpx.Client, path: Path):
    propose(path, 1)

    assert decide(client, approved_count=2).status_code == 200
    assert decide(client, approved_count=2).status_code == 200

    assert statistics(client)["approved_count"] == 2


def test_a_decision_without_counts_stands_for_the_plans_commands(client: httpx.Client, path: Path):
    propose(path, 1)

    decide(client, rejection_reason=None, approved_count=None, rejected_count=None)

    assert statistics(client)["approved_count"] == len((READ, RESTART))


def test_an_early_decision_is_404_and_counts_when_its_plan_is_known(
    client: httpx.Client, path: Path
):
    answer = decide(client, approved_count=2)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "No feedback found for approval_id: approval-1"}

    propose(path, 1)

    assert statistics(client)["approved_count"] == 2


def test_a_report_on_what_somebody_else_proposed_is_sent_once_and_not_lost(
    client: httpx.Client, path: Path, tmp_path: Path
):
    webhook = f"{client.base_url}mcp-approval"
    with approval_server(tmp_path, backend_webhook_url=webhook) as desk:
        made = desk.post("/api/approvals/propose", json=payload()).json()
        address = f"/api/approvals/{made['approval_id']}/reject"

        desk.post(address, json={"reason": "not now"})

        wait_until(lambda: deliveries(tmp_path) == [("delivered", 1)], 8)
        assert desk.get("/ready").json()["status"] == "ready"
    propose(path, 1)
    link(path, made["approval_id"])
    assert statistics(client)["rejected_count"] == 1


def test_an_early_decision_is_kept_without_the_secret_in_it(client: httpx.Client, path: Path):
    early = decide(client, status="rejected", rejection_reason="no: password=hunter2")
    assert early.status_code == 404
    assert "hunter2" not in "".join(one.read_text() for one in path.parent.iterdir())

    propose(path, 1)

    said = client.get(f"/improvements/{LEARNER}").json()["improvement_suggestions"]
    assert said == ["Avoid: no: password=[REDACTED:password:1]"]
    assert decide(client, status="rejected", rejection_reason="no: password=hunter2").is_success
    assert path.read_text().count('"type":"decided"') == 1


def test_a_secret_that_an_earlier_version_kept_is_not_shown(client: httpx.Client, path: Path):
    propose(path, 1)
    decide(client, status="rejected", rejection_reason="no: word")
    path.write_text(path.read_text().replace("no: word", "no: password=hunter2"))

    said = client.get(f"/improvements/{LEARNER}").json()["improvement_suggestions"]

    assert said == ["Avoid: no: password=[REDACTED:password:1]"]


SENSELESS_DECISIONS: list[dict[str, object]] = [
    {"approved_count": -1},
    {"rejected_count": -3},
    {"status": "maybe"},
    {"status": "pending"},
    {"approval_id": None},
    {"approved_count": 10**12},
    {"status": "expired"},
    {"status": "expired", "type": "approval.decided"},
    {"status": "approved", "type": "approval.expired"},
    {"type": "approval.imagined"},
    {"type": "approval.verified"},
    {"type": "approval.decided", "round": 0},
]


def test_a_decision_that_makes_no_sense_is_422(client: httpx.Client, path: Path):
    propose(path, 1)

    answers = [decide(client, **wrong) for wrong in SENSELESS_DECISIONS]

    assert [answer.status_code for answer in answers] == [422] * len(SENSELESS_DECISIONS)
    assert statistics(client)["approved_count"] == 0


def test_our_own_servers_verdicts_are_read(client: httpx.Client, path: Path):
    propose(path, 1)

    decide(
        client,
        commands=[
            {"command": READ, "decision": "approved", "status": "succeeded", "output": "ok"},
            {"command": RESTART, "decision": "rejected", "reason": "Too risky"},
        ],
    )

    assert statistics(client)["average_reward"] == 0.0
    said = client.get(f"/improvements/{LEARNER}").json()["improvement_suggestions"]
    assert said == ["Avoid: Too risky"]


TYPED = {"status": "approved", "approved_count": 1, "rejected_count": 0, "is_final": False}
VERIFICATION = {
    "recovery": "not_recovered",
    "at": "2030-05-01T12:00:00Z",
    "facts": [{"reference": "shop/deployment/checkout", "name": "pods ready", "holds": False}],
    "sentence": "0 of 3 pods are ready.",
}


def told(kind: str, status: str) -> dict[str, object]:
    said = {"command": RESTART, "decision": "approved", "status": status, "output": "done"}
    return TYPED | {"type": f"approval.{kind}", "commands": [said]}


def test_every_kind_of_report_is_taken(client: httpx.Client, path: Path):
    propose(path, 1, plan_of(RESTART))

    for report in (
        told("decided", "waiting"),
        told("executed", "succeeded"),
        told("verified", "succeeded") | {"verification": VERIFICATION, "is_final": True},
        told("undone", "succeeded") | {"verification": VERIFICATION, "is_final": True},
    ):
        for _ in range(2):
            answer = decide(client, **report)
            assert answer.status_code == 200
            assert answer.json()["message"] == "Approval status 'approved' recorded successfully"

    assert statistics(client)["average_reward"] == pytest.approx(0.6)
    kinds = [json.loads(line)["type"] for line in path.read_text().splitlines()]
    assert kinds == ["proposed", "linked", "decided", "executed", "verified", "undone"]


def test_an_expired_proposal_has_no_reward(client: httpx.Client, path: Path):
    propose(path, 1)

    answer = decide(client, status="expired", type="approval.expired", is_final=True)

    assert answer.status_code == 200
    opportunities = client.get(f"/workflow/{WORKFLOW}").json()["feedback_opportunities"]
    assert opportunities[0]["approval_status"] == "expired"
    assert statistics(client)["average_reward"] == 0.0


def test_a_decision_after_the_expiry_is_taken_counted_and_marked(client: httpx.Client, path: Path):
    propose(path, 1)
    decide(client, status="expired", type="approval.expired", is_final=True)

    answer = decide(client, approved_count=2)

    assert answer.status_code == 200
    (plan,) = client.get(f"/workflow/{WORKFLOW}").json()["feedback_opportunities"]
    assert (plan["approval_status"], plan["is_late"]) == ("approved", True)
    assert statistics(client)["approved_count"] == 2


def test_a_rating_of_a_pending_plan_is_kept_and_teaches_once_it_is_decided(
    client: httpx.Client, path: Path
):
    propose(path, 1)

    assert client.post("/submit", json={"feedback_id": ID, "rating": 5}).status_code == 200

    (plan,) = client.get(f"/workflow/{WORKFLOW}").json()["feedback_opportunities"]
    assert (plan["approval_status"], plan["has_ui_feedback"]) == ("pending", True)
    assert statistics(client)["learning_examples"] == 0
    assert client.get(f"/top-examples/{LEARNER}").json()["examples"] == []
    decide(client, approved_count=2)
    assert statistics(client)["learning_examples"] == 1
    assert client.get(f"/top-examples/{LEARNER}").json()["examples"][0]["rating"] == 5


def test_a_type_of_another_servers_own_means_nothing(client: httpx.Client, path: Path):
    propose(path, 1)

    assert decide(client, type={"of": "its own"}, approved_count=2).status_code == 200

    assert statistics(client)["approved_count"] == 2


def test_commands_of_another_shape_are_passed_over(client: httpx.Client, path: Path):
    propose(path, 1)

    assert decide(client, commands=["kubectl get pods"], approved_count=1).status_code == 200

    assert statistics(client)["approved_count"] == 1


def signed(body: bytes, *, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    headers = WebhookSignature(secret).sign("msg_1", at or datetime.now(UTC), body)
    return {"content-type": "application/json", **headers}


BODY = json.dumps({"approval_id": "approval-1", "status": "approved", "approved_count": 2}).encode()
OTHER_SECRET = f"whsec_{base64.b64encode(b'another secret, as long as this').decode()}"


def badly_signed() -> dict[str, dict[str, str]]:
    now = datetime.now(UTC)
    return {
        "unsigned": {"content-type": "application/json"},
        "stale": signed(BODY, at=now - timedelta(minutes=6)),
        "early": signed(BODY, at=now + timedelta(minutes=6)),
        "secret": signed(BODY, secret=OTHER_SECRET),
        "body": signed(BODY + b" "),
        "id": signed(BODY) | {"webhook-id": "msg_2"},
        "base64": signed(BODY) | {"webhook-signature": "v1,no base64!"},
        "shape": signed(BODY) | {"webhook-signature": "nonsense"},
        "time": signed(BODY) | {"webhook-timestamp": "nan"},
    }


def test_with_a_secret_what_is_not_well_signed_is_401(open_client: Open, path: Path):
    client = open_client(SECRET)
    propose(path, 1)

    for name, headers in badly_signed().items():
        answer = client.post("/mcp-approval", content=BODY, headers=headers)

        assert answer.status_code == 401, name
        assert "webhook" in answer.json()["detail"]
    assert statistics(client)["approved_count"] == 0


def test_who_is_refused_is_logged_once_a_minute_without_the_body(
    open_client: Open, path: Path, caplog: pytest.LogCaptureFixture
):
    client = open_client(SECRET)
    propose(path, 1)

    for _ in range(5):
        client.post("/mcp-approval", content=BODY, headers=JSON)

    (line,) = [record for record in caplog.records if record.message == "webhook refused"]
    assert line.__dict__["sender"] == "127.0.0.1"
    assert "approval-1" not in str(line.__dict__)


def test_a_signed_delivery_that_is_played_back_later_is_401(open_client: Open, path: Path):
    client = open_client(SECRET)
    propose(path, 1)
    headers = signed(BODY, at=datetime.now(UTC) - timedelta(minutes=2))

    first = client.post("/mcp-approval", content=BODY, headers=headers)
    second = client.post("/mcp-approval", content=BODY, headers=headers)
    retried = client.post("/mcp-approval", content=BODY, headers=signed(BODY))

    assert (first.status_code, second.status_code, retried.status_code) == (200, 401, 200)


def test_a_signed_decision_is_taken_and_its_replay_changes_nothing(open_client: Open, path: Path):
    client = open_client(SECRET)
    propose(path, 1)
    headers = signed(BODY)

    first = client.post("/mcp-approval", content=BODY, headers=headers)
    second = client.post("/mcp-approval", content=BODY, headers=headers)

    assert (first.status_code, second.status_code) == (200, 200)
    found = statistics(client)
    assert (found["approved_count"], found["unsigned_count"]) == (2, 0)


def test_statistics_have_the_contracts_shape(client: httpx.Client, path: Path):
    propose(path, 1)
    decide(client)

    answer = client.get("/statistics").json()

    assert answer["total_feedbacks"] == 1
    assert answer["average_reward"] == 1.0
    assert answer["agent_statistics"].keys() == {"RemediationAgent"}
    assert (
        answer["agent_statistics"]["RemediationAgent"].items()
        >= {
            "total_outputs": 1,
            "approved_count": 2,
            "rejected_count": 0,
            "pending_count": 0,
            "approval_rate": 1.0,
            "average_reward": 1.0,
            "learning_examples": 1,
        }.items()
    )


def test_agents_that_do_not_learn_say_so(client: httpx.Client):
    sentence = "This agent doesn't use reinforcement learning"

    assert client.get("/statistics/AnalysisAgent").json() == {
        "agent_name": "AnalysisAgent",
        "statistics": {"message": sentence},
    }
    assert client.get("/improvements/Nobody").json() == {
        "agent_name": "Nobody",
        "improvement_suggestions": [],
        "count": 0,
        "message": sentence,
    }
    assert client.get("/top-examples/Nobody").json() == {
        "agent_name": "Nobody",
        "examples_count": 0,
        "examples": [],
    }


def test_improvements_name_what_to_avoid(client: httpx.Client, path: Path):
    propose(path, 1)
    client.post(
        "/mcp-approval",
        json={
            "approval_id": "approval-1",
            "status": "rejected",
            "rejection_reason": "It drops open carts",
            "rejected_count": 2,
        },
    )

    assert client.get(f"/improvements/{LEARNER}").json() == {
        "agent_name": "RemediationAgent",
        "improvement_suggestions": ["Avoid: It drops open carts"],
        "count": 1,
    }


def test_what_to_avoid_is_named_once_when_each_command_has_its_own_reason(
    client: httpx.Client, path: Path
):
    propose(path, 1)
    commands = [
        {"command": READ, "decision": "rejected", "reason": "not now"},
        {"command": RESTART, "decision": "rejected", "reason": "It drops open carts"},
    ]
    whole = {"status": "rejected", "rejection_reason": "not now; It drops open carts"}

    client.post("/mcp-approval", json={"approval_id": "approval-1", **whole, "commands": commands})

    said = client.get(f"/improvements/{LEARNER}").json()["improvement_suggestions"]
    assert said == ["Avoid: not now", "Avoid: It drops open carts"]


def test_top_examples_have_the_contracts_fields(client: httpx.Client, path: Path):
    propose(path, 1)
    propose(path, 2)
    decide(client)
    client.post("/submit", json={"feedback_id": f"{WORKFLOW}_remediation_2", "rating": 5})

    answer = client.get(f"/top-examples/{LEARNER}").json()

    assert (answer["agent_name"], answer["examples_count"]) == ("RemediationAgent", 1)
    (example,) = answer["examples"]
    assert example.keys() == {
        "feedback_id",
        "timestamp",
        "rating",
        "reward_score",
        "was_helpful",
        "approval_status",
        "approved_commands",
        "rejected_commands",
        "input_preview",
        "output_preview",
    }
    assert (example["feedback_id"], example["approval_status"]) == (ID, "approved")
    assert len(example["input_preview"]) == 203


def test_a_wrong_query_is_422(client: httpx.Client):
    for query in ("limit=0", "limit=x", "min_reward=nan", "min_reward=high"):
        assert client.get(f"/top-examples/{LEARNER}?{query}").status_code == 422, query


def test_a_workflows_plans_can_be_rated_until_somebody_did(client: httpx.Client, path: Path):
    propose(path, 1)
    propose(path, 2, plan_of(RESTART))
    client.post("/submit", json={"feedback_id": ID, "was_helpful": True})

    answer = client.get(f"/workflow/{WORKFLOW}").json()

    assert (answer["workflow_id"], answer["count"]) == (WORKFLOW, 2)
    first, second = answer["feedback_opportunities"]
    assert (
        first.items()
        >= {
            "feedback_id": ID,
            "agent_name": "RemediationAgent",
            "has_ui_feedback": True,
            "approval_status": "pending",
            "approval_id": "approval-1",
        }.items()
    )
    assert datetime.fromisoformat(first["timestamp"]).tzinfo is not None
    assert not second["has_ui_feedback"]


def test_an_unknown_workflow_has_no_plans(client: httpx.Client):
    assert client.get("/workflow/any string").json() == {
        "workflow_id": "any string",
        "feedback_opportunities": [],
        "count": 0,
    }


def test_the_learning_curve_has_a_point_per_decided_plan(client: httpx.Client, path: Path):
    propose(path, 1)
    propose(path, 2)
    decide(client)

    answer = client.get("/learning-curve").json()

    assert answer["window"] == 20
    (point,) = answer["points"]
    assert (point["number"], point["approval_rate"], point["average_reward"]) == (1, 1.0, 1.0)
