"""The approval server over real HTTP: its contract, its limits, and who may not use it."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from pydantic import SecretStr
from standardwebhooks import Webhook

from tests.fakes.approval_app import approval_server
from tests.fakes.approvals import DELETE_VOLUME, GET, RESTART, SCALE, payload
from tests.fakes.kube_api import open_kube_api
from tests.fakes.webhook_receiver import WebhookReceiver, webhook_receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
COMMAND = {"command": RESTART, "explanation": "because", "safety_level": "CAUTION"}
StartServer = Callable[..., httpx.Client]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a server; called again, it stops the first and goes on with its data."""
    with ExitStack() as running:

        def start(**values: object) -> httpx.Client:
            running.close()
            return running.enter_context(approval_server(tmp_path / "data", **values))

        yield start


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server for all tests that look only at what they sent themselves."""
    with approval_server(tmp_path_factory.mktemp("approvals")) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as receiver:
        yield receiver


def propose(client: httpx.Client, *commands: str, **headers: str) -> str:
    response = client.post("/api/approvals/propose", json=payload(*commands), headers=headers)
    assert response.status_code == 200, response.text
    return str(response.json()["approval_id"])


def shown(client: httpx.Client, approval_id: str) -> Any:
    approvals = client.get("/api/approvals/pending").json()["approvals"]
    return next(one for one in approvals if one["id"] == approval_id)


def pending_ids(client: httpx.Client) -> list[str]:
    return [one["id"] for one in client.get("/api/approvals/pending").json()["approvals"]]


def test_a_proposal_is_queued_and_listed_as_it_was_sent(client: httpx.Client):
    sent = payload(RESTART, unknown=[1, {"deep": None}])

    answer = client.post("/api/approvals/propose", json=sent).json()

    listed = shown(client, answer["approval_id"])
    assert answer["status"] == "pending"
    assert answer["message"] == "Remediation queued for approval"
    assert answer["approval_url"].endswith(f"#{answer['approval_id']}")
    assert listed["id"] == answer["approval_id"]
    assert listed["action"] == sent["action"]
    assert listed["metadata"] == sent["metadata"]
    assert listed["timestamp"].endswith("Z")
    assert listed["commands"][0]["command"] == RESTART
    assert listed["commands"][0]["explanation"] == "because"
    assert listed["commands"][0]["safety_level"] == "CAUTION"


def test_each_command_shows_the_verdict_of_the_policy(client: httpx.Client):
    listed = shown(client, propose(client, GET, DELETE_VOLUME))

    assert [one["risk"] for one in listed["commands"]] == ["CAUTION", "FORBIDDEN"]
    assert [one["is_refused"] for one in listed["commands"]] == [False, True]
    assert listed["commands"][1]["reasons"]


def test_a_proposal_needs_no_metadata_and_commands_no_label(client: httpx.Client):
    body = {"action": "Look", "commands": [{"command": GET, "explanation": None}]}

    assert client.post("/api/approvals/propose", json=body).status_code == 200


def test_the_same_key_never_queues_a_second_request(client: httpx.Client):
    first = propose(client, **{"Idempotency-Key": "workflow-1"})
    again = propose(client, **{"Idempotency-Key": "workflow-1"})
    other = propose(client, **{"Idempotency-Key": "workflow-2"})

    assert first == again != other
    assert pending_ids(client)[-2:] == [first, other]


@pytest.mark.parametrize(
    "other",
    [
        {**payload(), "action": "Restart something else"},
        payload(SCALE),
        payload(RESTART, RESTART),
        payload(note="another"),
        {**payload(), "commands": [{"command": RESTART, "explanation": "another"}]},
        {**payload(), "commands": [{**COMMAND, "safety_level": "SAFE"}]},
    ],
)
def test_a_key_that_came_with_another_body_is_refused_and_nothing_is_queued(
    client: httpx.Client, other: dict[str, object]
):
    key = {"Idempotency-Key": f"key of {json.dumps(other)}"[:255]}
    first = propose(client, **key)
    before = pending_ids(client)

    refused = client.post("/api/approvals/propose", json=other, headers=key)

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["header", "idempotency-key"]
    assert "another body" in refused.json()["error"]
    assert refused.json()["first_approval_id"] == first
    assert pending_ids(client) == before
    assert propose(client, **key) == first


def test_the_same_body_in_another_order_of_keys_gets_the_same_answer(client: httpx.Client):
    key = {"Idempotency-Key": "in another order"}
    body = payload("kubectl get pods -n shop \0", note={"a": 1, "b": [None, 1.5, "\0"]})
    turned = dict(reversed(body.items()))

    answers = [
        client.post("/api/approvals/propose", json=sent, headers=key)
        for sent in (body, turned, body)
    ]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()


async def test_of_many_at_once_with_one_key_one_is_queued_and_other_bodies_are_refused(
    client: httpx.Client,
):
    key = {"Idempotency-Key": "all at once"}
    bodies = [payload(RESTART if n % 2 else SCALE) for n in range(40)]
    async with httpx.AsyncClient(base_url=client.base_url, trust_env=False, timeout=30) as many:
        answers = await asyncio.gather(
            *(many.post("/api/approvals/propose", json=body, headers=key) for body in bodies)
        )

    taken = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200] * 20 + [422] * 20
    named = [
        answer.json().get("approval_id") or answer.json()["first_approval_id"] for answer in answers
    ]
    assert len(set(named)) == 1
    assert len({n % 2 for n in taken}) == 1


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({**payload(), "commands": []}, ["body", "commands"]),
        (payload(*[GET] * 101), ["body", "commands"]),
        (payload(*[GET] * 10_000), ["body", "commands"]),
        (payload("kubectl get pods " + "x" * 1024 * 1024), ["body", "commands", 0, "command"]),
        ({**payload(), "comands": []}, ["body", "comands"]),
        (
            {**payload(), "commands": [{"command": GET, "saftey_level": "SAFE"}]},
            ["body", "commands", 0, "saftey_level"],
        ),
        (payload("kubectl get pods " + "x" * 8192), ["body", "commands", 0, "command"]),
        (payload("  "), ["body", "commands", 0, "command"]),
        (payload(note="x" * 65_536), ["body", "metadata"]),
        ({"commands": payload()["commands"]}, ["body", "action"]),
        ({**payload(), "metadata": "text"}, ["body", "metadata"]),
        ([], ["body"]),
    ],
)
def test_a_wrong_proposal_is_refused_with_place_and_reason(
    client: httpx.Client, body: object, place: list[object]
):
    before = pending_ids(client)

    response = client.post("/api/approvals/propose", json=body)

    assert response.status_code == 422
    problem = response.json()["detail"][0]
    assert problem["loc"] == place
    assert problem["msg"]
    assert problem["type"]
    assert response.json()["error"]
    assert pending_ids(client) == before


@pytest.mark.parametrize("body", [b"", b"{", b'{"action": }', b'{"action":"\\ud800"}', b"\xff"])
def test_what_is_no_json_is_a_422_and_not_a_crash(client: httpx.Client, body: bytes):
    response = client.post("/api/approvals/propose", content=body)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body"]


def test_a_body_over_the_limit_is_refused(client: httpx.Client):
    response = client.post("/api/approvals/propose", content=b" " * (4 * 1024 * 1024 + 1))

    assert response.status_code == 413
    assert "4 MiB" in response.json()["error"]


def test_approving_without_a_body_records_the_decision_and_says_that_nothing_ran(
    client: httpx.Client,
):
    approval_id = propose(client, RESTART, DELETE_VOLUME)

    answer = client.post(f"/api/approvals/{approval_id}/approve").json()

    found = client.get(f"/api/approvals/{approval_id}").json()
    assert answer["status"] == "approved"
    assert "nothing runs" in answer["message"]
    assert (answer["approved_count"], answer["rejected_count"]) == (1, 1)
    assert [one["status"] for one in found["commands"]] == ["recorded", "failed"]
    assert found["commands"][1]["output"].startswith("refused by policy: ")
    assert approval_id not in pending_ids(client)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "Rejected by user"),
        ({}, "Rejected by user"),
        ({"reason": "  "}, "Rejected by user"),
        ({"reason": "too risky", "reviewer": "Ada"}, "too risky"),
    ],
)
def test_a_rejection_has_a_reason_in_any_case(client: httpx.Client, body: object, reason: str):
    approval_id = propose(client)

    answer = client.post(f"/api/approvals/{approval_id}/reject", json=body)

    assert answer.json() == {"status": "rejected", "reason": reason}
    assert client.get(f"/api/approvals/{approval_id}").json()["reason"] == reason


def test_the_second_decision_gets_404_and_hears_who_was_first(client: httpx.Client):
    approval_id = propose(client)
    client.post(f"/api/approvals/{approval_id}/reject", json={"reason": "no", "reviewer": "Ada"})

    second = client.post(f"/api/approvals/{approval_id}/approve")

    assert second.status_code == 404
    assert second.json()["error"] == "Approval request not found"
    assert (second.json()["status"], second.json()["reviewer"]) == ("rejected", "Ada")
    assert second.json()["decided_at"]


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_an_unknown_request_is_404(client: httpx.Client, verb: str):
    response = client.post(f"/api/approvals/nobody/{verb}")

    assert response.status_code == 404
    assert response.json()["error"] == "Approval request not found"


async def test_of_fifty_decisions_at_once_exactly_one_wins(client: httpx.Client):
    approval_id = propose(client)
    async with httpx.AsyncClient(base_url=client.base_url, trust_env=False) as many:
        answers = await asyncio.gather(
            *(
                many.post(
                    f"/api/approvals/{approval_id}/{'approve' if n % 2 else 'reject'}",
                    json={"reviewer": f"reviewer {n}"},
                )
                for n in range(50)
            )
        )
        found = await many.get(f"/api/approvals/{approval_id}")

    won = [n for n, answer in enumerate(answers) if answer.status_code == 200]
    assert len(won) == 1
    assert found.json()["reviewer"] == f"reviewer {won[0]}"
    assert {answer.json().get("reviewer") for answer in answers if answer.status_code == 404} == {
        f"reviewer {won[0]}"
    }


def test_the_history_is_paged_and_filtered(start: StartServer):
    client = start()
    ids = [propose(client) for _ in range(3)]
    client.post(f"/api/approvals/{ids[1]}/approve")

    first = client.get("/api/approvals", params={"limit": 2}).json()
    second = client.get("/api/approvals", params={"limit": 2, "before": first["next"]}).json()
    decided = client.get("/api/approvals", params={"status": "decided"}).json()

    assert [one["id"] for one in first["approvals"]] == [ids[2], ids[1]]
    assert [one["id"] for one in second["approvals"]] == [ids[0]]
    assert second["next"] is None
    assert [one["id"] for one in decided["approvals"]] == [ids[1]]
    assert client.get("/api/approvals", params={"limit": 0}).status_code == 422
    assert client.get("/api/approvals", params={"before": "x"}).status_code == 400


def test_a_restart_keeps_proposals_decisions_and_keys(start: StartServer):
    client = start()
    waiting = propose(client, **{"Idempotency-Key": "key"})
    decided = propose(client)
    client.post(f"/api/approvals/{decided}/reject", json={"reason": "no"})

    client = start()

    assert pending_ids(client) == [waiting]
    assert propose(client, **{"Idempotency-Key": "key"}) == waiting
    assert client.get(f"/api/approvals/{decided}").json()["reason"] == "no"
    assert client.post(f"/api/approvals/{decided}/approve").status_code == 404


def test_a_decision_reaches_the_backend_signed(start: StartServer, receiver: WebhookReceiver):
    client = start(backend_webhook_url=receiver.url, webhook_secret=SecretStr(SECRET))
    approval_id = propose(client, RESTART, DELETE_VOLUME)

    client.post(f"/api/approvals/{approval_id}/approve", json={"reviewer": "Ada"})

    (webhook,) = receiver.wait_for(1)
    Webhook(SECRET).verify(webhook.body, webhook.headers)
    assert webhook.json["approval_id"] == approval_id
    assert (webhook.json["status"], webhook.json["reviewer"]) == ("approved", "Ada")
    assert (webhook.json["approved_count"], webhook.json["rejected_count"]) == (1, 1)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here")
def test_approved_commands_change_the_cluster_and_the_backend_hears_how(
    start: StartServer, receiver: WebhookReceiver, tmp_path: Path
):
    with open_kube_api() as cluster:
        kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        client = start(backend_webhook_url=receiver.url, kubeconfig=kubeconfig)
        without_namespace = "kubectl scale deployment/checkout --replicas=5"
        approval_id = propose(client, without_namespace, DELETE_VOLUME, "kubectl get deploy nope")

        answer = client.post(f"/api/approvals/{approval_id}/approve").json()
        decided, executed = (webhook.json for webhook in receiver.wait_for(2)[:2])

    assert "run now" in answer["message"]
    assert cluster.replicas == 5
    assert [webhook["type"] for webhook in (decided, executed)] == [
        "approval.decided",
        "approval.executed",
    ]
    assert [one["status"] for one in executed["commands"]] == ["succeeded", "failed", "failed"]
    assert "scaled" in executed["commands"][0]["output"]
    assert (executed["approved_count"], executed["rejected_count"]) == (2, 1)
    assert client.get("/ready").json()["checks"]["cluster"] == "ok"


def test_a_backend_that_does_not_know_the_proposal_yet_is_asked_again(start: StartServer):
    with webhook_receiver(404, 503) as receiver:
        client = start(backend_webhook_url=receiver.url)
        approval_id = propose(client)

        client.post(f"/api/approvals/{approval_id}/reject", json={"reason": "no"})

        webhooks = receiver.wait_for(3)
        assert {webhook.json["approval_id"] for webhook in webhooks} == {approval_id}
        assert len({webhook.headers["webhook-id"] for webhook in webhooks}) == 1


def test_a_decision_made_while_the_backend_was_down_is_delivered_after_a_restart(
    start: StartServer, receiver: WebhookReceiver
):
    client = start()
    approval_id = propose(client)
    client.post(f"/api/approvals/{approval_id}/approve")

    start(backend_webhook_url=receiver.url)

    assert receiver.wait_for(1)[0].json["approval_id"] == approval_id


def test_a_report_that_the_backend_refuses_shows_in_ready(start: StartServer):
    with webhook_receiver(401) as receiver:
        client = start(backend_webhook_url=receiver.url)
        before = client.get("/ready").json()
        approval_id = propose(client)
        client.post(f"/api/approvals/{approval_id}/approve")
        receiver.wait_for(1)

        after = client.get("/ready")
        while after.json()["checks"]["reports"] == "ok":
            after = client.get("/ready")

    assert before["status"] == "ready"
    assert before["checks"]["cluster"].startswith("none configured")
    assert after.status_code == 200
    assert "401" in after.json()["checks"]["reports"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8000"},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/api/approvals/propose", "/api/approvals/x/approve", "/mcp"])
def test_another_web_page_cannot_write(client: httpx.Client, headers: dict[str, str], path: str):
    before = pending_ids(client)

    response = client.post(path, json=payload(), headers=headers)

    assert response.status_code == 403
    assert pending_ids(client) == before


def test_the_own_page_can_write_json_and_nothing_else(client: httpx.Client):
    own = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}

    taken = client.post("/api/approvals/propose", json=payload(), headers=own)
    form = client.post(
        "/api/approvals/propose",
        content=json.dumps(payload()),
        headers={**own, "Content-Type": "text/plain"},
    )

    assert taken.status_code == 200
    assert form.status_code == 415


@pytest.mark.parametrize("path", ["/", "/api/approvals/pending", "/mcp"])
def test_a_rebound_host_name_sees_nothing(client: httpx.Client, path: str):
    assert client.get(path, headers={"Host": "evil.example:3100"}).status_code == 421


def test_the_host_of_the_public_address_is_known(start: StartServer):
    client = start(public_approval_url="https://approvals.example.com")

    response = client.get("/api/config", headers={"Host": "approvals.example.com"})

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/approvals/pending", "/nowhere"])
def test_every_answer_forbids_framing_sniffing_and_foreign_scripts(client: httpx.Client, path: str):
    headers = client.get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_and_everything_it_names_is_served(client: httpx.Client):
    page = client.get("/")

    assert page.headers["content-type"].startswith("text/html")
    for path in ("/theme.css", "/approvals.css", "/approvals.js", "/icon.svg"):
        assert f'"{path}"' in page.text
        assert client.get(path).status_code == 200
    for module in _modules(client, "/approvals.js"):
        assert module.headers["content-type"].startswith("text/javascript")


def _modules(client: httpx.Client, start: str) -> list[httpx.Response]:
    """A module and everything it imports."""
    found: dict[str, httpx.Response] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = client.get(path).raise_for_status()
            waiting += re.findall(r'from "\.(/[a-z]+\.js)"', found[path].text)
    assert len(found) > 5
    return list(found.values())


def test_text_of_others_never_becomes_markup():
    web = Path(__file__).parents[2] / "app" / "web"
    scripts = [*(web / "approvals").glob("*.js"), web / "dom.js", web / "badge.js"]
    unsafe = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc")

    assert len(scripts) >= 3
    for script in scripts:
        source = script.read_text(encoding="utf-8")
        assert [word for word in unsafe if word in source] == [], script.name
    page = (web / "approvals" / "index.html").read_text(encoding="utf-8")
    assert "<style" not in page
    assert " onclick" not in page
    assert "<script>" not in page


async def test_an_agent_proposes_over_mcp_and_gets_the_decision(start: StartServer):
    url = str(start().base_url)
    async with (
        asyncio.timeout(10),
        Client(f"{url}/mcp") as agent,
        httpx.AsyncClient(base_url=url, trust_env=False) as person,
    ):
        names = {tool.name for tool in (await agent.list_tools()).tools}
        arguments = {"action": "Restart", "commands": payload(RESTART)["commands"]}
        arguments["metadata"] = {"namespace": "shop"}

        async with asyncio.TaskGroup() as group:
            approved = group.create_task(agent.call_tool("propose_remediation", arguments))
            listed = await _decide_next(agent, person, "approve")
        async with asyncio.TaskGroup() as group:
            rejected = group.create_task(agent.call_tool("execute_kubectl", {"command": RESTART}))
            await _decide_next(agent, person, "reject")

    assert names == {"propose_remediation", "execute_kubectl", "get_pending_approvals"}
    assert listed["pending"] == 1
    assert set(listed["approvals"][0]) == {"id", "action", "timestamp", "commands"}
    assert listed["approvals"][0]["commands"] == 1
    answer = _text(approved.result())
    assert answer["approved"] is True
    # Nothing ran, so nothing is called a success.
    assert answer["result"][0]["status"] == "error"
    assert "no cluster" in answer["result"][0]["error"]
    assert _text(rejected.result())["approved"] is False
    assert _text(rejected.result())["reason"] == "Rejected by user"


async def _decide_next(agent: Client, person: httpx.AsyncClient, verb: str) -> Any:
    while True:
        listed = _text(await agent.call_tool("get_pending_approvals", {}))
        if listed["pending"]:
            approval_id = listed["approvals"][0]["id"]
            answer = await person.post(f"/api/approvals/{approval_id}/{verb}")
            assert answer.status_code == 200
            return listed


def _text(result: Any) -> Any:
    return json.loads(result.content[0].text)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("propose_remediation", {"action": "x", "commands": []}),
        ("propose_remediation", {}),
        ("execute_kubectl", {"command": " "}),
        ("no_such_tool", {}),
    ],
)
async def test_a_wrong_call_over_mcp_is_an_error_in_json(
    client: httpx.Client, tool: str, arguments: dict[str, object]
):
    async with asyncio.timeout(10), Client(f"{client.base_url}/mcp") as agent:
        result = await agent.call_tool(tool, arguments)

    assert result.is_error
    assert list(_text(result)) == ["error"]
