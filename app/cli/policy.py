"""`policy`: says what the policy makes of a command, rule by rule."""

import argparse
import sys
from dataclasses import dataclass
from datetime import datetime

import orjson

from app.bootstrap.ground import SystemClock
from app.cli.words import plain
from app.domain.errors import StartupFailed
from app.kubectl.case import LiveFacts
from app.kubectl.command import ParsedCommand
from app.kubectl.evidence import Evidence
from app.kubectl.guard import Finding, Verdict, judge, judge_text
from app.kubectl.modes import why_not_executed
from app.kubectl.namespaces import in_namespace, lacks_namespace
from app.kubectl.policy import Policy, Risk, load_policy
from app.settings import Settings

REFUSED = 1
USAGE = 2
MARKS = {Finding.PASSED: "passed", Finding.RAISED: "raised", Finding.REFUSED: "REFUSED"}


@dataclass(frozen=True, slots=True)
class Judged:
    """A command, as it would run, and what the guard says of it."""

    command: ParsedCommand | None
    verdict: Verdict
    obstacle: str | None
    """Why this mode would not execute it."""

    @property
    def is_allowed(self) -> bool:
        """Whether it may be proposed to a person."""
        return self.verdict.risk is not Risk.FORBIDDEN

    def to_object(self) -> dict[str, object]:
        """For programs."""
        steps = self.verdict.steps()
        return {
            "command": self.command.render() if self.command else None,
            "allowed": self.is_allowed,
            "risk": self.verdict.risk,
            "reasons": self.verdict.reasons,
            "not_executed": self.obstacle,
            "steps": [
                {
                    "rule": step.rule,
                    "source": step.source,
                    "finding": step.finding,
                    "reasons": step.reasons,
                }
                for step in steps
            ],
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand."""
    commands = parser.add_subparsers(dest="action", required=True)
    test = commands.add_parser("test", help="exit code 0: allowed, 1: refused, 2: not asked right")
    test.add_argument("text", metavar="COMMAND", help="the kubectl command, as one argument")
    test.add_argument("--namespace", help="the proposal's, for a command that names none")
    test.add_argument("--at", type=_moment, help="the time, such as 2026-01-31T22:00:00+01:00")
    test.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Judge, and say how; nothing is executed."""
    try:
        policy = load_policy(settings.policy_file)
    except StartupFailed as error:
        print(error, file=sys.stderr)
        return USAGE
    at: datetime = options.at or SystemClock().now()
    command, verdict = _judge(options.text, options.namespace, policy, LiveFacts(at=at))
    judged = Judged(command, verdict, why_not_executed(verdict, settings.command_mode))
    if options.json:
        print(orjson.dumps(judged.to_object(), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(judged)
    return 0 if judged.is_allowed else REFUSED


def _judge(
    text: str, namespace: str | None, policy: Policy, facts: LiveFacts
) -> tuple[ParsedCommand | None, Verdict]:
    command, verdict = judge_text(text, policy, Evidence.unknown(), facts)
    if command is None or namespace is None or not lacks_namespace(command):
        return command, verdict
    command = in_namespace(command, namespace)
    return command, judge(command, policy, Evidence.unknown(), facts)


def _print(judged: Judged) -> None:
    for step in judged.verdict.steps():
        said = plain("; ".join(step.reasons))
        print(f"{MARKS[step.finding]:<8} {step.rule:<19} {step.source}  {said}".rstrip())
    print()
    if judged.command:
        print(plain(judged.command.render()))
    print(plain(f"{judged.verdict.risk}: {'; '.join(judged.verdict.reasons)}"))
    if judged.is_allowed and judged.obstacle:
        print(judged.obstacle)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO time") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} lacks a time zone, such as Z or +01:00")
    return moment
