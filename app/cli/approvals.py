"""`approvals`: look at what waits for a decision, and decide it, without a browser."""

import argparse
import getpass
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from app.cli.approval_client import ApprovalClient, connect
from app.cli.approval_text import card, table
from app.cli.approval_watch import watch
from app.cli.words import plain_line
from app.domain.errors import BadInput
from app.settings import Settings

View = Mapping[str, Any]
APPROVED, REJECTED, EDITED = "approved", "rejected", "edited"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One thing to do; commands have the numbers that `show` gives them."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="what waits for a decision, oldest first")
    show = actions.add_parser("show", help="the commands of one request, and what came of them")
    approve = actions.add_parser("approve", help="let commands run; all that may, or some")
    reject = actions.add_parser("reject", help="let nothing of it run")
    edit = actions.add_parser("edit", help="approve with one command in other words")
    undo = actions.add_parser("undo", help="take back what has run")
    actions.add_parser("watch", help="new requests and results as they come, until Ctrl+C")
    for command in (show, approve, reject, edit, undo):
        command.add_argument("id", help="the id, or its beginning")
    undo.add_argument(
        "--confirm", action="store_true", help="also over what somebody changed since"
    )
    undo.add_argument("--reviewer", default=_user(), help="who undoes it; default: your login")
    edit.add_argument("number", type=_number, help="which command")
    edit.add_argument("text", help="what runs in its place, such as 'kubectl …'")
    for command in (approve, edit):
        command.add_argument("--only", type=_numbers, help="approve these alone, such as 1,3")
        command.add_argument("--reject", type=_numbers, default=(), help="approve all but these")
        command.add_argument(
            "--confirm", type=_numbers, default=(), help="run these although not in evidence"
        )
        command.add_argument("--seen", help="the version that `show` printed; void if it changed")
    for command in (approve, reject, edit):
        command.add_argument("--reviewer", default=_user(), help="who decides; default: your login")
        command.add_argument("--reason", required=command is reject, help="why not")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Over the REST API of the approval server that the settings name."""
    with httpx.Client(trust_env=False) as http:
        client = connect(http, settings.approval_base_url)
        action: Callable[[argparse.Namespace, ApprovalClient], int] = ACTIONS[options.action]
        return action(options, client)


def _list(_: argparse.Namespace, client: ApprovalClient) -> int:
    views = client.pending()
    if not views:
        print("Nothing waits for a decision.")
        return 0
    for line in table(views, datetime.now(UTC)):
        print(line)
    return 0


def _show(options: argparse.Namespace, client: ApprovalClient) -> int:
    for line in card(client.one(options.id)):
        print(line)
    return 0


def _approve(options: argparse.Namespace, client: ApprovalClient) -> int:
    return _decide(options, client, {})


def _edit(options: argparse.Namespace, client: ApprovalClient) -> int:
    client.demand("edit", "take an edit")
    return _decide(options, client, {options.number: options.text})


def _reject(options: argparse.Namespace, client: ApprovalClient) -> int:
    if not options.reason.strip():
        raise BadInput("Say why with --reason: the next plan learns from it.")
    view = client.one(options.id)
    body = {"reason": options.reason, "reviewer": options.reviewer}
    answer = client.decide(view["id"], "reject", body)
    print(f"Rejected: {plain_line(answer.get('reason', options.reason))}")
    return 0


def _undo(options: argparse.Namespace, client: ApprovalClient) -> int:
    client.demand("undo", "take anything back")
    view = client.one(options.id)
    body: dict[str, object] = {"reviewer": options.reviewer}
    if options.confirm:
        body |= {"confirm": True}
    client.decide(view["id"], "undo", body)
    print("It is being taken back; `show` tells how that ended.")
    return 0


def _watch(_: argparse.Namespace, client: ApprovalClient) -> int:
    return watch(client)


def _decide(options: argparse.Namespace, client: ApprovalClient, edits: Mapping[int, str]) -> int:
    is_whole = options.only is None and not options.reject and not edits
    if not is_whole or options.confirm:
        client.demand("per-command", "decide single commands")
    view = client.one(options.id)
    body: dict[str, object] = {"reviewer": options.reviewer}
    if not client.is_old:
        body |= {"seen": options.seen or view["version"]}
        body |= {"confirm": [number - 1 for number in options.confirm]}
    if not is_whole:
        body |= {"commands": _choices(options, view["commands"], edits)}
    answer = client.decide(view["id"], "approve", body)
    print(plain_line(answer.get("message") or answer["status"]))
    return 0


def _choices(
    options: argparse.Namespace, commands: list[View], edits: Mapping[int, str]
) -> list[dict[str, object]]:
    """A decision for each command that has one; the others do not run."""
    named = {*(options.only or ()), *options.reject, *options.confirm, *edits}
    if named and max(named) > len(commands):
        raise BadInput(f"There is no command {max(named)}: this request has {len(commands)}.")
    found: list[dict[str, object]] = []
    for number, command in enumerate(commands, start=1):
        choice: dict[str, object] = {"number": number - 1}
        if number in edits:
            found.append(choice | {"decision": EDITED, "edited_to": edits[number]})
        elif number in options.reject:
            found.append(choice | {"decision": REJECTED, "reason": options.reason})
        elif _is_wanted(number, command, options):
            found.append(choice | {"decision": APPROVED})
    return found


def _is_wanted(number: int, command: View, options: argparse.Namespace) -> bool:
    if command["is_refused"]:
        return False
    is_chosen = options.only is None or number in options.only
    return is_chosen and (command["in_evidence"] is not False or number in options.confirm)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of a command; the first one is 1")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_number(part.strip()) for part in text.split(","))


def _user() -> str | None:
    """The name in the system, where there is one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


ACTIONS: dict[str, Callable[[argparse.Namespace, ApprovalClient], int]] = {
    "list": _list,
    "show": _show,
    "approve": _approve,
    "reject": _reject,
    "edit": _edit,
    "undo": _undo,
    "watch": _watch,
}
