"""Decisions over real HTTP: command by command, bound to what was seen, in time, and once."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.approval_app import approval_server
from tests.fakes.approvals import DELETE_VOLUME, GET, RESTART, SCALE, payload
from tests.fakes.waiting import wait_until
from tests.fakes.webhook_receiver import WebhookReceiver, webhook_receiver

StartServer = Callable[..., httpx.Client]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    with ExitStack() as running:

        def start(**values: object) -> httpx.Client:
            return running.enter_context(approval_server(tmp_path / "data", **values))

        yield start


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with approval_server(tmp_path_factory.mktemp("approvals")) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as receiver:
        yield receiver


def propose(client: httpx.Client, *commands: str, **metadata: Any) -> str:
    response = client.post("/api/approvals/propose", json=payload(*commands, **metadata))
    assert response.status_code == 200, response.text
    return str(response.json()["approval_id"])


def approve(client: httpx.Client, approval_id: str, **body: Any) -> httpx.Response:
    return client.post(f"/api/approvals/{approval_id}/approve", json=body)


def view(client: httpx.Client, approval_id: str) -> Any:
    return client.get(f"/api/approvals/{approval_id}").json()


def trouble_with_kubectl(client: httpx.Client) -> list[Any]:
    """What the page and who is on call are told of it."""
    ready = client.get("/ready").json()
    return [client.get("/api/config").json()["kubectl"], ready["checks"]["cluster"]]


def test_a_view_says_what_a_decision_needs(client: httpx.Client):
    one = propose(client, RESTART, GET, phases=["REMEDIATE", "VERIFY"], not_in_evidence=[GET])

    shown = view(client, one)

    assert shown["round"] == 1
    assert shown["version"]
    assert shown["expires_at"] > shown["timestamp"]
    assert (shown["void_reason"], shown["verification"], shown["undo"]) == (None, None, None)
    assert shown["can_undo"] is False
    assert [command["number"] for command in shown["commands"]] == [0, 1]
    assert [command["phase"] for command in shown["commands"]] == ["REMEDIATE", "VERIFY"]
    assert [command["in_evidence"] for command in shown["commands"]] == [True, False]
    assert [command["policy_risk"] for command in shown["commands"]] == ["CAUTION", "SAFE"]
    assert [command["risk"] for command in shown["commands"]] == ["CAUTION", "CAUTION"]
    for key in ("decision", "edited_to", "reason", "undo_status"):
        assert [command[key] for command in shown["commands"]] == [None, None]


def test_the_server_says_what_it_can_do(client: httpx.Client):
    config = client.get("/api/config").json()

    assert config["has_cluster"] is False
    assert config["mode"] == "approve"
    assert config["kubectl"] is None
    assert config["expiry_minutes"] == 60
    assert {"idempotency-key", "per-command", "edit", "expiry", "undo", "audit"} <= set(
        config["features"]
    )


def test_the_server_says_so_when_kubectl_comes_and_goes(
    start: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kubeconfig, kubectl = tmp_path / "kubeconfig", tmp_path / "bin" / "kubectl"
    kubeconfig.touch()
    kubectl.parent.mkdir()
    monkeypatch.setenv("PATH", str(kubectl.parent))
    client = start(kubeconfig=kubeconfig)

    missing = trouble_with_kubectl(client)
    kubectl.touch(mode=0o755)
    installed = trouble_with_kubectl(client)
    kubectl.unlink()
    gone = trouble_with_kubectl(client)

    assert "install kubectl" in missing[0]
    assert missing[0] == missing[1]
    assert installed == [None, "ok"]
    assert gone == missing


def test_commands_are_decided_one_by_one_and_the_backend_hears_each(
    start: StartServer, receiver: WebhookReceiver
):
    client = start(backend_webhook_url=receiver.url)
    one = propose(client, RESTART, SCALE, GET)
    edit = "kubectl scale deployment/checkout --replicas=2 -n shop"
    choices = [
        {"number": 0, "decision": "rejected", "reason": "not now"},
        {"number": 1, "decision": "edited", "edited_to": edit},
        {"number": 2, "decision": "approved"},
    ]

    answer = approve(client, one, reviewer="Ada", commands=choices).json()

    assert (answer["approved_count"], answer["rejected_count"]) == (2, 1)
    told = receiver.wait_for(1)[0].json
    assert (told["type"], told["is_final"], told["round"]) == ("approval.decided", True, 1)
    assert [(c["command"], c["decision"], c["edited_to"]) for c in told["commands"]] == [
        (RESTART, "rejected", None),
        (SCALE, "edited", edit),
        (GET, "approved", None),
    ]
    assert told["commands"][0]["reason"] == "not now"
    assert receiver.received[0].headers["webhook-id"] == f"decided_{one}_1"
    assert [command["decision"] for command in view(client, one)["commands"]] == [
        "rejected",
        "edited",
        "approved",
    ]


def test_what_runs_is_as_it_was_edited_and_what_is_told_holds_no_secret(
    start: StartServer, receiver: WebhookReceiver, tmp_path: Path
):
    client = start(backend_webhook_url=receiver.url)
    one = propose(client, RESTART, GET)
    edit = "kubectl set env deployment/checkout DB_PASSWORD=hunter2 -n shop"
    choices = [
        {"number": 0, "decision": "edited", "edited_to": edit, "reason": "password: hunter3"},
        {"number": 1, "decision": "rejected", "reason": "the token expired"},
    ]

    approve(client, one, reviewer="ada@example.com", commands=choices, confirm=[0])
    told = receiver.wait_for(1)[0].json

    assert [(c["edited_to"], c["reason"]) for c in told["commands"]] == [
        (edit.replace("hunter2", "[REDACTED:password:1]"), "password: [REDACTED:password:1]"),
        (None, "the token expired"),
    ]
    assert told["reviewer"] == "ada@example.com"
    assert [command["edited_to"] for command in view(client, one)["commands"]] == [edit, None]
    assert b"hunter3" not in b"".join(file.read_bytes() for file in tmp_path.glob("approvals.*"))


def test_a_rejection_is_answered_without_the_secret_in_its_reason(client: httpx.Client):
    one = propose(client, RESTART)

    answer = client.post(
        f"/api/approvals/{one}/reject", json={"reason": "not now; password: hunter2"}
    )

    assert answer.json() == {
        "status": "rejected",
        "reason": "not now; password: [REDACTED:password:1]",
    }


def test_rejecting_all_that_could_run_is_a_rejection_although_the_policy_refuses_the_rest(
    client: httpx.Client,
):
    one = propose(client, RESTART, DELETE_VOLUME)
    choices = [{"number": 0, "decision": "rejected", "reason": "no"}]

    answer = approve(client, one, commands=choices)

    assert answer.json()["status"] == "rejected"
    assert view(client, one)["status"] == "rejected"


def test_rejecting_every_command_answers_as_a_rejection(client: httpx.Client):
    one = propose(client, RESTART)
    choices = [{"number": 0, "decision": "rejected", "reason": "no"}]

    answer = approve(client, one, commands=choices)

    assert answer.json() == {"status": "rejected", "reason": "no"}
    assert view(client, one)["status"] == "rejected"


def test_each_command_keeps_its_own_reason_when_all_of_them_are_rejected(
    start: StartServer, receiver: WebhookReceiver
):
    client = start(backend_webhook_url=receiver.url)
    one = propose(client, RESTART, SCALE, GET)
    choices = [
        {"number": 0, "decision": "rejected", "reason": "not now"},
        {"number": 1, "decision": "rejected", "reason": "too many"},
        {"number": 2, "decision": "rejected"},
    ]

    answer = approve(client, one, commands=choices)

    told = receiver.wait_for(1)[0].json
    own = ["not now", "too many", None]
    assert answer.json()["status"] == "rejected"
    assert told["rejection_reason"] == view(client, one)["reason"] == "not now; too many"
    assert [command["reason"] for command in told["commands"]] == own
    assert [command["reason"] for command in view(client, one)["commands"]] == own


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"commands": [{"number": 9, "decision": "approved"}]}, ["commands", 0, "number"]),
        ({"commands": [{"number": 100, "decision": "approved"}]}, ["commands", 0, "number"]),
        ({"commands": [{"number": -1, "decision": "approved"}]}, ["commands", 0, "number"]),
        ({"commands": [{"number": 0, "decision": "approved"}] * 2}, ["commands", 1, "number"]),
        ({"commands": [{"number": 0, "decision": "maybe"}]}, ["commands", 0, "decision"]),
        ({"commands": [{"number": 0, "decision": "edited"}]}, ["commands", 0]),
        ({"commands": [{"number": 0, "decision": "approved", "x": 1}]}, ["commands", 0, "x"]),
        (
            {"commands": [{"number": 0, "decision": "edited", "edited_to": DELETE_VOLUME}]},
            ["commands", 0, "edited_to"],
        ),
        (
            {"commands": [{"number": 0, "decision": "edited", "edited_to": f"{GET}; reboot"}]},
            ["commands", 0, "edited_to"],
        ),
        ({"commands": [{"number": True, "decision": "approved"}]}, ["commands", 0, "number"]),
        ({"commands": [{"number": "1", "decision": "approved"}]}, ["commands", 0, "number"]),
        ({"commands": []}, ["commands"]),
        ({"commands": [], "confirm": []}, ["commands"]),
        ({"commands": [{"number": 0, "decision": "rejected"}]}, ["commands"]),
        ({"confirm": [7]}, ["confirm", 0]),
        ({"confirm": [True]}, ["confirm", 0]),
        ({"confirm": ["1"]}, ["confirm", 0]),
        ({"confirm": list(range(101))}, ["confirm"]),
        ({"reviewer": "x" * 201}, ["reviewer"]),
    ],
)
def test_a_decision_that_cannot_be_is_told_where_and_decides_nothing(
    client: httpx.Client, body: dict[str, Any], place: list[object]
):
    one = propose(client, RESTART, SCALE)

    answer = approve(client, one, **body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", *place]
    assert answer.json()["error"]
    assert view(client, one)["status"] == "pending"


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ([], "No command is named"),
        ([{"number": 1, "decision": "rejected", "reason": "no"}], "none is approved"),
    ],
)
def test_a_decision_by_which_nothing_would_run_says_what_is_missing(
    client: httpx.Client, choices: list[object], sentence: str
):
    one = propose(client, RESTART, SCALE, not_in_evidence=[])

    refused = approve(client, one, commands=choices)

    assert refused.status_code == 422
    assert sentence in refused.json()["error"]
    assert "evidence" not in refused.json()["error"]
    assert view(client, one)["status"] == "pending"


def test_what_the_policy_refuses_as_a_whole_is_not_approved_by_an_empty_list(
    client: httpx.Client,
):
    one = propose(client, DELETE_VOLUME)

    assert approve(client, one, commands=[]).status_code == 422
    assert view(client, one)["status"] == "pending"


def test_a_list_without_a_name_is_enough_when_something_is_confirmed(client: httpx.Client):
    one = propose(client, RESTART, SCALE, not_in_evidence=[SCALE])

    assert approve(client, one, commands=[], confirm=[1]).json()["approved_count"] == 1


def test_what_is_not_in_evidence_is_left_out_and_the_answer_says_so(client: httpx.Client):
    one = propose(client, RESTART, SCALE, not_in_evidence=[SCALE])

    answer = client.post(f"/api/approvals/{one}/approve").json()

    assert "1 of 2 are left out: Not run: not in evidence" in answer["message"]
    assert (answer["approved_count"], answer["rejected_count"]) == (1, 0)
    assert view(client, one)["commands"][1]["status"] == "skipped"


def test_nothing_in_evidence_is_no_approval_until_it_is_confirmed(client: httpx.Client):
    one = propose(client, RESTART, not_in_evidence=[RESTART])

    refused = client.post(f"/api/approvals/{one}/approve")

    assert refused.status_code == 409
    assert "confirm" in refused.json()["error"]
    assert view(client, one)["status"] == "pending"
    assert approve(client, one, confirm=[0]).status_code == 200


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_about_something_else_is_void(client: httpx.Client, verb: str):
    one = propose(client)
    now = view(client, one)["version"]

    answer = client.post(f"/api/approvals/{one}/{verb}", json={"seen": "another"})

    assert answer.status_code == 409
    assert (answer.json()["status"], answer.json()["version"]) == ("pending", now)
    assert answer.json()["error"] == answer.json()["detail"]
    assert view(client, one)["status"] == "pending"
    taken = client.post(f"/api/approvals/{one}/{verb}", json={"seen": now})
    assert taken.status_code == 200


def test_a_request_that_nobody_decided_in_time_is_over(
    start: StartServer, receiver: WebhookReceiver
):
    client = start(approval_expiry_minutes=0.001, backend_webhook_url=receiver.url)
    one = propose(client)
    told = receiver.wait_for(1)[0].json

    late = client.post(f"/api/approvals/{one}/approve")

    assert late.status_code == 404
    assert late.json()["error"] == "Approval request not found"
    assert late.json()["status"] == "expired"
    assert late.json()["decided_at"]
    assert "expired" in late.json()["detail"]
    assert (told["type"], told["status"], told["is_final"]) == ("approval.expired", "expired", True)
    assert client.get("/api/approvals/pending").json() == {"approvals": []}
    history = client.get("/api/approvals", params={"status": "expired"}).json()["approvals"]
    assert [found["id"] for found in history] == [one]


def test_requests_of_a_release_without_a_limit_get_one_from_when_they_were_made(tmp_path: Path):
    with approval_server(tmp_path) as client:
        old, fresh = propose(client, RESTART), propose(client, SCALE)
    with closing(sqlite3.connect(tmp_path / "approvals.sqlite")) as file, file:
        file.execute("UPDATE approvals SET expires_at = NULL")
        long_ago = ("2025-03-02T12:00:00.000000+00:00", old)
        file.execute("UPDATE approvals SET proposed_at = ? WHERE approval_id = ?", long_ago)

    with approval_server(tmp_path, approval_expiry_minutes=30) as client:
        wait_until(lambda: view(client, old)["status"] == "expired", 10)
        shown = view(client, fresh)

    assert shown["status"] == "pending"
    made, ends = (datetime.fromisoformat(shown[key]) for key in ("timestamp", "expires_at"))
    assert ends - made == timedelta(minutes=30)


def test_pending_requests_are_paged_when_a_limit_is_given(start: StartServer):
    client = start()
    ids = [propose(client) for _ in range(3)]

    first = client.get("/api/approvals/pending", params={"limit": 2}).json()
    second = client.get(
        "/api/approvals/pending", params={"limit": 2, "after": first["next"]}
    ).json()

    assert [one["id"] for one in first["approvals"]] == ids[:2]
    assert [one["id"] for one in second["approvals"]] == ids[2:]
    assert second["next"] is None
    assert first["total"] == second["total"] == 3
    assert list(client.get("/api/approvals/pending").json()) == ["approvals"]
    assert client.get("/api/approvals/pending", params={"limit": 0}).status_code == 422
    wrong = client.get("/api/approvals/pending", params={"limit": 2, "after": "x"})
    assert wrong.status_code == 400


async def test_of_fifty_people_one_decides_and_the_others_hear_who(client: httpx.Client):
    one = propose(client, RESTART, SCALE)
    version = view(client, one)["version"]
    edit = "kubectl scale deployment/checkout --replicas=2 -n shop"

    def body(number: int) -> dict[str, Any]:
        choices = [
            {"number": 0, "decision": "edited", "edited_to": edit},
            {"number": 1, "decision": "rejected"},
        ]
        return {
            "reviewer": f"reviewer {number}",
            "seen": version,
            **({"commands": choices} if number % 3 == 0 else {}),
        }

    async with httpx.AsyncClient(base_url=client.base_url, trust_env=False) as many:
        answers = await asyncio.gather(
            *(
                many.post(
                    f"/api/approvals/{one}/{'approve' if number % 2 else 'reject'}",
                    json=body(number),
                )
                for number in range(50)
            )
        )

    won = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code == 404]
    assert (len(won), len(lost)) == (1, 49)
    assert {answer.json()["reviewer"] for answer in lost} == {f"reviewer {won[0]}"}
    assert view(client, one)["reviewer"] == f"reviewer {won[0]}"


def test_what_the_policy_refuses_altogether_can_be_rejected_or_edited_but_not_approved(
    client: httpx.Client,
):
    one, other = propose(client, DELETE_VOLUME, DELETE_VOLUME), propose(client, DELETE_VOLUME)
    edited = {"number": 0, "decision": "edited", "edited_to": RESTART}

    refused = approve(client, one)
    after = view(client, one)
    rejected = client.post(f"/api/approvals/{one}/reject", json={"reason": "forbidden"})

    assert refused.status_code == 409
    assert "the policy refuses every command" in refused.json()["error"]
    assert (after["status"], after["decided_at"]) == ("pending", None)
    assert rejected.json()["status"] == "rejected"
    assert approve(client, other, commands=[edited]).json()["approved_count"] == 1


def test_there_is_nothing_to_undo_where_nothing_ran(client: httpx.Client):
    one = propose(client)
    approve(client, one)

    answer = client.post(f"/api/approvals/{one}/undo", json={"reviewer": "Ada"})

    assert answer.status_code == 409
    assert "nothing to undo" in answer.json()["error"]
    assert client.post("/api/approvals/nobody/undo").status_code == 404


def test_without_a_cluster_another_look_shows_the_same(client: httpx.Client):
    one = propose(client)
    wait_until(lambda: view(client, one)["commands"][0]["proof"])

    answer = client.post(f"/api/approvals/{one}/refresh")

    assert answer.json() == view(client, one)
    assert client.post("/api/approvals/nobody/refresh").status_code == 404


def test_every_decision_is_in_the_audit_file(start: StartServer, tmp_path: Path):
    client = start()
    one = propose(client)
    client.post(f"/api/approvals/{one}/approve", json={"seen": "another", "reviewer": "Bob"})
    approve(client, one, reviewer="Ada")
    path = tmp_path / "data" / "audit.jsonl"
    while len(path.read_bytes().splitlines() if path.exists() else []) < 3:
        client.get("/health")

    entries = [json.loads(line) for line in path.read_bytes().splitlines()]

    assert [(entry["type"], entry["by"]) for entry in entries] == [
        ("proposed", None),
        ("decision_void", "Bob"),
        ("decided", "Ada"),
    ]
    assert client.get("/ready").json()["checks"]["audit"] == "ok"


def test_an_edit_to_what_the_workflow_has_not_seen_runs_only_when_it_is_confirmed(
    client: httpx.Client,
):
    one = propose(client, GET, RESTART, not_in_evidence=[])
    elsewhere = "kubectl scale deployment/billing --replicas=3 -n money"
    edited = [{"number": 0, "decision": "edited", "edited_to": elsewhere}]

    refused = approve(client, one, commands=edited)

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "commands", 0, "edited_to"]
    assert refused.json()["detail"][0]["type"] == "not_in_evidence"
    assert view(client, one)["status"] == "pending"
    assert view(client, one)["commands"][0]["in_evidence"] is True
    assert approve(client, one, commands=edited, confirm=[0]).status_code == 200
    shown = view(client, one)["commands"]
    assert [command["in_evidence"] for command in shown] == [False, True]


def test_an_edit_to_other_ones_of_several_objects_has_to_be_confirmed(client: httpx.Client):
    both = "kubectl scale deployment/checkout deployment/cart --replicas=3 -n shop"
    one = propose(client, both, not_in_evidence=[])

    def edited(text: str) -> list[dict[str, object]]:
        return [{"number": 0, "decision": "edited", "edited_to": text}]

    elsewhere = approve(client, one, commands=edited(both.replace("/cart", "/billing")))
    within = approve(client, one, commands=edited(both.replace(" deployment/cart", "")))

    assert elsewhere.status_code == 422
    assert elsewhere.json()["detail"][0]["type"] == "not_in_evidence"
    assert within.status_code == 200
    assert view(client, one)["commands"][0]["in_evidence"] is True


def test_an_edit_of_what_the_workflow_has_seen_needs_no_confirmation(client: httpx.Client):
    one = propose(client, SCALE, not_in_evidence=[])
    other_count = SCALE.replace("--replicas=3", "--replicas=4")
    assert other_count != SCALE
    edited = [{"number": 0, "decision": "edited", "edited_to": other_count}]

    assert approve(client, one, commands=edited).status_code == 200


@pytest.mark.parametrize("key", ["command", "Commands", "confirms", "Reason", "reviewers"])
def test_a_key_that_is_nearly_one_decides_nothing(client: httpx.Client, key: str):
    one = propose(client, RESTART, SCALE)
    choice = {"number": 1, "decision": "rejected", "reason": "dangerous"}

    refused = approve(client, one, **{key: [choice]})

    assert refused.status_code == 422
    assert "did you mean" in refused.json()["error"]
    assert view(client, one)["status"] == "pending"


def test_keys_of_other_clients_are_passed_over(client: httpx.Client):
    one = propose(client, RESTART)

    assert approve(client, one, approved_by="Ada", source="old page").status_code == 200
