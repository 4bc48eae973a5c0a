"""What is wrong at the desk, in the cluster and in the backend after everything came to its end."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping

import httpx

from bench.approval_traffic import BEFORE, EDITED, PROPOSED, Acknowledged, DeskTraffic, View
from tests.fakes.stream import follow_stream

ENDED = {"succeeded", "failed", "unknown", "skipped", "recorded"}
RUNS = {"approved", "edited"}


def all_approvals(desk: str) -> dict[str, View]:
    """Everything that the desk knows, by id."""
    found: dict[str, View] = {}
    cursor = ""
    while True:
        page = httpx.get(f"{desk}/api/approvals?limit=100{cursor}", timeout=60).json()
        found |= {view["id"]: view for view in page["approvals"]}
        if page["next"] is None:
            return found
        cursor = f"&before={page['next']}"


def is_over(view: View) -> bool:
    """Whether nothing is going on with an approval any more."""
    statuses = {command["status"] for command in view["commands"]}
    undos = {command["undo_status"] for command in view["commands"]} - {None}
    has_changed = any(
        command["status"] in {"succeeded", "unknown"} and f"={PROPOSED} " in command["command"]
        for command in view["commands"]
    )
    is_measured = view["verification"] is not None or not has_changed
    return view["status"] != "pending" and statuses | undos <= ENDED and is_measured


def faults_of(traffic: DeskTraffic, approvals: Mapping[str, View]) -> Iterator[str]:
    """What is lost, doubled, or otherwise than it was said."""
    yield from _of_proposals(traffic, approvals)
    yield from _of_decisions(traffic, approvals)
    yield from _of_undos(traffic, approvals)
    for approval_id, view in approvals.items():
        if not is_over(view):
            yield f"{approval_id}: still {view['status']}, {[c['status'] for c in view['commands']]}"
    yield from _of_cluster(traffic, approvals)
    yield from _of_backend(traffic, approvals)


def _of_proposals(traffic: DeskTraffic, approvals: Mapping[str, View]) -> Iterator[str]:
    for key, ids in traffic.proposals.items():
        name = key.replace("key-", "one-")
        kept = [one["id"] for one in approvals.values() if one["metadata"]["service"] == name]
        if len(kept) != 1 or set(ids) - set(kept):
            yield f"{key}: answered {ids}, kept {kept}"
    of_workflows = Counter(
        json.dumps([view["metadata"]["workflow_id"], [c["command"] for c in view["commands"]]])
        for view in approvals.values()
        if "workflow_id" in view["metadata"]
    )
    yield from (f"{what}: proposed {n} times" for what, n in of_workflows.items() if n != 1)


def _of_decisions(traffic: DeskTraffic, approvals: Mapping[str, View]) -> Iterator[str]:
    told = Counter((said.approval_id, said.round) for said in traffic.decisions)
    for said in traffic.decisions:
        view = approvals.get(said.approval_id)
        if view is None:
            yield f"{said.approval_id}: decided and lost"
        elif told[said.approval_id, said.round] != 1:
            yield f"{said.approval_id}: several deciders were told they won round {said.round}"
        elif view["round"] == said.round:
            yield from _of_decision(said, view)
        elif view["round"] < said.round:
            yield f"{said.approval_id}: decided in round {said.round}, now {view['round']}"


def _of_undos(traffic: DeskTraffic, approvals: Mapping[str, View]) -> Iterator[str]:
    for approval_id, name in traffic.undone.items():
        view = approvals[approval_id]
        if view["undo"] is None or view["undo"]["by"] != name:
            yield f"{approval_id}: undo of {name} is {view['undo']}"
        yield from (
            f"{approval_id}: the undo of command {command['number']} is lost"
            for command in view["commands"]
            if command["undo_status"] is None
            and command["status"] in {"succeeded", "unknown"}
            and command["proof"]["undo"]["kind"] != "none"
        )
    for approval_id, view in approvals.items():
        is_undone = any(one["undo_status"] in {"succeeded", "unknown"} for one in view["commands"])
        is_unsure = any(
            one["status"] == "unknown" and one["policy_risk"] != "SAFE" for one in view["commands"]
        )
        recovery = (view["verification"] or {}).get("recovery")
        if recovery == "recovered" and (is_undone or is_unsure):
            yield f"{approval_id}: recovered, undone {is_undone}, unknown {is_unsure}"
        if is_undone and view["outcome"] != "undone":
            yield f"{approval_id}: undone, and its outcome is {view['outcome']}"


def _of_decision(said: Acknowledged, view: View) -> Iterator[str]:
    if (view["status"], view["reviewer"]) != (said.status, said.reviewer):
        yield f"{view['id']}: {said} became {view['status']} by {view['reviewer']}"
    for choice in said.choices or ():
        command = view["commands"][choice["number"]]
        kept = command["decision"], command["edited_to"]
        if kept != (choice["decision"], choice.get("edited_to")):
            yield f"{view['id']}: {choice} became {kept}"


def _of_cluster(traffic: DeskTraffic, approvals: Mapping[str, View]) -> Iterator[str]:
    written = _written(traffic)
    for view in approvals.values():
        for command in view["commands"]:
            wanted = EDITED if command["edited_to"] else PROPOSED
            if f"={PROPOSED} " not in command["command"]:
                continue
            name = command["command"].split("deployment/")[1].split()[0]
            runs = {"command": written[name, wanted], "undo": written[name, BEFORE]}
            ends = {"command": command["status"], "undo": command["undo_status"]}
            if written[name, PROPOSED] + written[name, EDITED] != runs["command"]:
                yield f"{name}: the other text ran"
            if runs["undo"] and ends["undo"] in {None, "skipped"}:
                yield f"{name}: its undo is {ends['undo']} and ran"
            if command["decision"] not in RUNS and runs["command"]:
                yield f"{name}: ran although it is {command['decision']}"
            for what, count in runs.items():
                if count > 1 or (ends[what] == "succeeded" and count != 1):
                    yield f"{name}: its {what} is {ends[what]} and ran {count} times"


def _written(traffic: DeskTraffic) -> Counter[tuple[str, int]]:
    """How often the cluster was told to have so many replicas of a deployment."""
    found: Counter[tuple[str, int]] = Counter()
    for method, path, query, body in list(traffic.api.requests):
        if method in {"PATCH", "PUT"} and "/deployments/" in path and "dryRun" not in query:
            name = path.split("/deployments/")[1].split("/")[0]
            found[name, body["spec"]["replicas"]] += 1
    return found


def _of_backend(traffic: DeskTraffic, approvals: Mapping[str, View]) -> Iterator[str]:
    of_workflows: dict[str, list[View]] = {name: [] for name in traffic.workflows}
    for view in approvals.values():
        if name := view["metadata"].get("workflow_id"):
            of_workflows.setdefault(name, []).append(view)
    for workflow_id, views in of_workflows.items():
        yield from _of_workflow(traffic.backend, workflow_id, views)
    address = f"{traffic.backend}/api/v1/feedback/statistics/RemediationAgent"
    figures = httpx.get(address, timeout=60).json()["statistics"]
    ours = [view for views in of_workflows.values() for view in views]
    for count in ("approved_count", "rejected_count"):
        at_desk = sum(view[count] for view in ours)
        if figures[count] != at_desk:
            yield f"feedback says {count} {figures[count]}, the desk {at_desk}"


def _of_workflow(backend: str, workflow_id: str, views: list[View]) -> Iterator[str]:
    address = f"{backend}/api/v1/feedback/workflow/{workflow_id}"
    plans = httpx.get(address, timeout=60).json()["feedback_opportunities"]
    known = sorted((str(plan["approval_id"]), plan["approval_status"]) for plan in plans)
    if known != sorted((view["id"], view["status"]) for view in views):
        yield f"{workflow_id}: feedback has {known}, the desk {[view['id'] for view in views]}"
    told: Counter[str] = Counter()
    for message in follow_stream(backend, workflow_id, until="outcome"):
        if message.event in {"decision", "execution"}:
            said = json.loads(message.data["data"])
            number = said["number"] if message.event == "execution" else ""
            what = "undo" if said["status"].startswith("und") else message.event
            told[f"{what} {said['approval_id']} {said['round']} {number}"] += 1
        elif message.event == "outcome":
            told["outcome"] += 1
    expected = {"outcome"} if views else set()
    for view in views:
        about = f"{view['id']} {view['round']}"
        ran = [command["number"] for command in view["commands"] if command["decision"] in RUNS]
        undos = {f"undo {about} {command['number']}" for command in view["commands"]}
        expected |= undos & told.keys()
        expected |= {f"decision {about} ", *(f"execution {about} {number}" for number in ran)}
    if set(told) != expected or any(count != 1 for count in told.values()):
        yield f"{workflow_id}: told {dict(told)}, expected {sorted(expected)}"
