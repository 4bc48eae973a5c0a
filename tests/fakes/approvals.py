"""Proposals, a clock that is driven, and a cluster that answers from a script."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from app.domain.command_result import CommandResult
from app.domain.errors import WebhookFailed
from app.domain.ids import ApprovalId
from app.domain.report import DueReport
from app.domain.review import Approval, ReviewedCommand

RESTART = "kubectl rollout restart deployment/checkout -n shop"
SCALE = "kubectl scale deployment/checkout --replicas=3 -n shop"
GET = "kubectl get pods -n shop"
DELETE_VOLUME = "kubectl delete pvc orders-data -n shop"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class DrivenClock:
    """Stands still until it is advanced."""

    def __init__(self, now: datetime = NOON) -> None:
        """Start at a time."""
        self._now = now

    def now(self) -> datetime:
        """The time it was driven to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Go on."""
        self._now += by


class ScriptedRunner:
    """Succeeds, except for the argument lists that the script has another result for."""

    def __init__(self, script: dict[str, CommandResult | Exception] | None = None) -> None:
        """The script's keys are verbs."""
        self._script = script or {}
        self.ran: list[tuple[str, ...]] = []

    async def run(self, argv: Sequence[str], stdin: str = "") -> CommandResult:
        """Note the arguments and give the scripted result."""
        self.ran.append(tuple(argv))
        result = self._script.get(argv[0], CommandResult(0, "done\n", timed_out=False))
        if isinstance(result, Exception):
            raise result
        return result

    async def trouble(self) -> str | None:
        """Nothing is wrong."""
        return None


class ScriptedSender:
    """Raises the given errors in turn, then delivers."""

    def __init__(self, *errors: Exception | None) -> None:
        """None stands for a delivery."""
        self._errors = list(errors)
        self.is_down: Callable[[datetime], bool] = lambda _: False
        self.attempts: list[datetime] = []
        self.delivered: list[DueReport] = []

    async def send(self, report: DueReport, at: datetime) -> None:
        """Note the attempt; fail or deliver."""
        self.attempts.append(at)
        if self.is_down(at):
            raise WebhookFailed("The backend does not answer.")
        error = self._errors.pop(0) if self._errors else None
        if error is not None:
            raise error
        self.delivered.append(report)


def command(text: str = RESTART, *, is_refused: bool = False) -> ReviewedCommand:
    """A judged command."""
    return ReviewedCommand(
        text=text,
        explanation="because",
        safety_level="CAUTION",
        risk="FORBIDDEN" if is_refused else "CAUTION",
        reasons=("data can be lost",) if is_refused else ("replaces every pod",),
        is_refused=is_refused,
        policy_risk="FORBIDDEN" if is_refused else "CAUTION",
        object_reference=None if is_refused else _reference(text),
    )


def _reference(text: str) -> str | None:
    """Of commands like the ones above."""
    named = [word for word in text.split() if word.startswith("deployment/")]
    return f"shop/{named[0]}" if named else None


def approval(name: str = "one", *commands: ReviewedCommand) -> Approval:
    """A pending approval."""
    return Approval(
        approval_id=ApprovalId(name),
        action="Restart checkout",
        commands=commands or (command(),),
        metadata={"service": "checkout", "namespace": "shop"},
        proposed_at=NOON,
    )


def payload(*commands: str, **metadata: JsonValue) -> dict[str, JsonValue]:
    """A proposal as a client sends it."""
    return {
        "action": "Restart checkout",
        "commands": [
            {"command": text, "explanation": "because", "safety_level": "CAUTION"}
            for text in commands or (RESTART,)
        ],
        "metadata": {"severity": "HIGH", "service": "checkout", "namespace": "shop", **metadata},
    }


def always_run(_: ReviewedCommand) -> str | None:
    """Nothing keeps an approved command from running."""
    return None
