"""Approvals as text for a terminal; what others wrote shows its hidden characters by number."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.cli.words import plain_line as _word

View = Mapping[str, Any]
SHORT_ID = 8
TITLES = ("ID", "AGE", "EXPIRES", "RISK", "SERVICE", "ACTION")
RISKS = ("SAFE", "CAUTION", "DESTRUCTIVE", "FORBIDDEN")
SHOWN_MANIFEST = 200


def table(views: Sequence[View], now: datetime) -> Iterator[str]:
    """One line each, below a line of titles."""
    rows = [TITLES, *(_row(view, now) for view in views)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES) - 1)]
    for row in rows:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=False))
        yield "  ".join((*padded, row[-1]))


def card(view: View) -> Iterator[str]:
    """All that a decision needs, or what came of it."""
    metadata = view["metadata"] if isinstance(view.get("metadata"), dict) else {}
    yield _word(view["action"])
    yield f"  id        {_word(view['id'])}"
    yield f"  status    {_status(view)}"
    for name in ("service", "namespace", "severity", "root_cause"):
        if metadata.get(name):
            yield f"  {name.replace('_', ' '):<10}{_word(metadata[name])}"
    for name in ("version", "expires_at", "void_reason"):
        if view.get(name):
            yield f"  {name.removesuffix('_at').replace('_reason', ''):<10}{_word(view[name])}"
    for number, command in enumerate(view["commands"], start=1):
        yield ""
        yield from _command(number, command)
    yield from _outcome(view)


def risk_of(view: View) -> str:
    """The highest one of its commands."""
    risks = [_word(one.get("risk") or one.get("safety_level") or "") for one in view["commands"]]
    return max(risks, key=lambda risk: RISKS.index(risk) if risk in RISKS else -1, default="")


def short(view: View) -> str:
    """As much of an id as a person types."""
    return _word(view["id"])[:SHORT_ID]


def _row(view: View, now: datetime) -> tuple[str, ...]:
    metadata = view["metadata"] if isinstance(view.get("metadata"), dict) else {}
    expires = view.get("expires_at")
    return (
        _word(view["id"])[:SHORT_ID] if "status" in view else _word(view["id"]),
        _span(now, view.get("timestamp")),
        f"in {_span(_time(expires), now.isoformat())}" if expires else "-",
        risk_of(view) or "-",
        _word(metadata.get("service") or "-"),
        _word(view["action"]),
    )


def _status(view: View) -> str:
    status = _word(view.get("status", "pending"))
    who = f" by {_word(view['reviewer'])}" if view.get("reviewer") else ""
    when = f" at {_word(view['decided_at'])}" if view.get("decided_at") else ""
    why = f": {_word(view['reason'])}" if view.get("reason") else ""
    return f"{status}{who}{when}{why}"


def _command(number: int, command: View) -> Iterator[str]:
    risk = _word(command.get("risk") or command.get("safety_level") or "no label")
    label = command.get("safety_level")
    said = f" (proposed as {_word(label)})" if label and label != risk else ""
    yield f"{number}. [{risk}]{said} {_word(command['command'])}"
    yield from _remarks(number, command)
    if command.get("proof"):
        yield from _proof(command["proof"])
    if command.get("status", "waiting") != "waiting" or command.get("decision"):
        why = f": {_word(command['reason'])}" if command.get("reason") else ""
        yield f"     state       {_word(command['decision'] or '-')} {_word(command['status'])}{why}"
    for line in str(command.get("output") or "").splitlines():
        yield f"     | {_word(line)}"
    if command.get("undo_status"):
        yield f"     undo        {_word(command['undo_status'])}"
    for line in str(command.get("undo_output") or "").splitlines():
        yield f"     | {_word(line)}"


def _remarks(number: int, command: View) -> Iterator[str]:
    if command.get("edited_to"):
        yield f"     edited to   {_word(command['edited_to'])}"
    if command.get("explanation"):
        yield f"     because     {_word(command['explanation'])}"
    if command.get("reasons"):
        yield f"     policy      {_word('; '.join(command['reasons']))}"
    if command.get("in_evidence") is False and command.get("decision") is None:
        yield f"     evidence    NOT in evidence: it runs only with --confirm {number}"


def _proof(proof: View) -> Iterator[str]:
    yield f"     cluster     {_word(proof['sentence'])}"
    for change in proof["changes"]:
        before, after = json.dumps(change["before"]), json.dumps(change["after"])
        yield f"     diff        {_word(change['path'])}: {_word(before)} -> {_word(after)}"
    if live := proof.get("object"):
        yield f"     object      {_word(live['reference'])}, version {_word(live['resource_version'])}"
        yield from _facts(live)
    for warning in proof["warnings"]:
        yield f"     warning     {_word(warning)}"
    undo = proof["undo"]
    how = undo["command"] or undo["manifest"][:SHOWN_MANIFEST] or "none"
    why = f" ({_word(undo['why'])})" if undo["why"] else ""
    yield f"     undo        {_word(how)}{why}"


def _facts(live: View) -> Iterator[str]:
    if live.get("replicas") is not None:
        yield f"     replicas    {_word(live['replicas'])}"
    if live.get("owner"):
        yield f"     owner       {_word(live['owner'])}"
    for budget in live.get("disruption_budgets") or ():
        yield f"     budget      {_word(budget)}"
    if live.get("managed_by"):
        yield f"     GitOps      {_word(live['managed_by'])}"


def _outcome(view: View) -> Iterator[str]:
    if verification := view.get("verification"):
        yield ""
        outcome = view.get("outcome") or verification["recovery"]
        yield f"Outcome: {_word(outcome)}. {_word(verification['sentence'])}"
        for fact in verification["facts"]:
            holds = {True: "yes", False: "no", None: "not known"}[fact["holds"]]
            name, reference = _word(fact["name"]), _word(fact["reference"])
            yield f"  {name:<24} {holds:<10} {reference} {_word(fact['detail'])}".rstrip()
    if undo := view.get("undo"):
        yield f"Taken back by {_word(undo['by'] or 'somebody')} at {_word(undo['at'])}."


def _span(later: datetime | None, earlier: object) -> str:
    begun = _time(earlier)
    if later is None or begun is None:
        return "-"
    minutes = max(0, int((later - begun).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
