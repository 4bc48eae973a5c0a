"""Tells from facts whether what was run helped."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.approvals.at_once import AtOnce
from app.approvals.changes import Changes
from app.approvals.checking import Checking
from app.approvals.ports import ApprovalStore
from app.approvals.storing import until_stored
from app.approvals.watching import Look, Watching, error_patterns
from app.domain.ids import ApprovalId
from app.domain.ports import Clock
from app.domain.proof import Fact, Recovery, Verification
from app.domain.review import Approval

MOST_AT_ONCE = 8
LEAST_LOOKS = 2
"""Restarts show between two looks."""
QUIET = timedelta(minutes=1)
"""An error that was not logged for so long is gone, also when it came once after the change."""
NOT_UNDERSTOOD = "The cluster's answers are not understood."
TOO_LATE = "The server was down for too long after the change to tell whether it helped."
VERIFY_WITHIN = timedelta(hours=1)
MAY_NOT_HAVE_RUN = (
    "It cannot be told whether it helped: nobody saw how command {0} ended, so it may not have run."
)
TAKEN_BACK = "It was taken back before it could be told whether it helped."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a verification waits."""

    settle_seconds: float
    """Before the first look."""
    timeout_seconds: float
    """From the first look to the last one."""

    @property
    def pause_seconds(self) -> float:
        """Between two looks."""
        return min(5.0, max(0.2, self.timeout_seconds / 10))


class Verifying:
    """Several at once, each until the facts hold or its time is up; one cut off is begun again."""

    def __init__(
        self,
        store: ApprovalStore,
        watching: Watching | None,
        checking: Checking,
        clock: Clock,
        changes: Changes,
        pace: Pace,
    ) -> None:
        """Without a cluster there is nothing to watch."""
        self._store = store
        self._watching = watching
        self._checking = checking
        self._clock = clock
        self._pace = pace
        self._at_once = AtOnce(store.take_unverified, self._verify, changes, MOST_AT_ONCE)

    async def run(self) -> None:
        """Verify until cancelled."""
        await self._at_once.run()

    async def _verify(self, approval: Approval) -> None:
        verification = await self.verify(approval)
        outcome = verification.recovery.value if verification else None
        facts = {"approval_id": approval.approval_id, "recovery": outcome}
        log.info("verification ended", extra=facts)

    async def verify(self, approval: Approval) -> Verification | None:
        """The outcome, which is stored; None when nothing was changed, and only the checks ran."""
        if not approval.has_changed or self._watching is None:
            await self._checking.check(approval)
            return None
        facts, sentence = await self._facts(self._watching, approval)
        facts = (*facts, *await self._checking.check(approval))
        verification = Verification(
            recovery=Recovery.UNKNOWN if sentence else recovery_of(facts),
            at=self._clock.now(),
            facts=facts,
            sentence=sentence or _sentence(facts),
        )
        await until_stored(lambda: self._keep(approval.approval_id, verification))
        return verification

    async def _keep(self, approval_id: ApprovalId, verification: Verification) -> None:
        """That it helped does not hold any more once somebody takes it back."""
        if not await self._store.keep_verification(approval_id, verification):
            taken_back = {"recovery": Recovery.UNKNOWN, "sentence": TAKEN_BACK}
            await self._store.keep_verification(
                approval_id, verification.model_copy(update=taken_back)
            )

    async def _facts(
        self, watching: Watching, approval: Approval
    ) -> tuple[tuple[Fact, ...], str | None]:
        """The facts, and why they say nothing."""
        assert approval.decided_at is not None
        if self._clock.now() - approval.decided_at > VERIFY_WITHIN:
            return (), TOO_LATE
        facts, sentence = await self._watch(watching, approval)
        return facts, sentence or _doubt(approval)

    async def _watch(
        self, watching: Watching, approval: Approval
    ) -> tuple[tuple[Fact, ...], str | None]:
        """What the last look said, and why that says nothing."""
        begun = self._clock.now()
        watched, patterns = watching.watched(approval), error_patterns(approval)
        await asyncio.sleep(self._pace.settle_seconds)
        deadline = asyncio.get_running_loop().time() + self._pace.timeout_seconds
        look: Look | None = None
        looks = 0
        while True:
            since = max(begun, self._clock.now() - QUIET)
            try:
                look = await watching.look(watched, patterns, since, look)
            except Exception:
                # As in proofs: no type names it, and a server that ends would begin this again.
                log.exception(
                    "the facts cannot be read", extra={"approval_id": approval.approval_id}
                )
                return (), NOT_UNDERSTOOD
            looks += 1
            now = await self._store.get(approval.approval_id)
            if now is None or now.undone_at is not None:
                return look.facts, TAKEN_BACK
            is_over = asyncio.get_running_loop().time() >= deadline
            if looks >= LEAST_LOOKS and (look.holds or is_over):
                return look.facts, None
            await asyncio.sleep(self._pace.pause_seconds)


def _doubt(approval: Approval) -> str | None:
    """Why facts say nothing of the plan, although they were read."""
    for number, command in enumerate(approval.commands, start=1):
        if command.is_unsure:
            return MAY_NOT_HAVE_RUN.format(number)
    return None


def recovery_of(facts: Sequence[Fact]) -> Recovery:
    """A fact that does not hold is decisive, then one that is not known."""
    if any(fact.holds is False for fact in facts):
        return Recovery.NOT_RECOVERED
    is_known = all(fact.holds for fact in facts) and any(_is_telling(fact) for fact in facts)
    return Recovery.RECOVERED if is_known else Recovery.UNKNOWN


def _is_telling(fact: Fact) -> bool:
    """Whether it is about health, and not only about what was done."""
    return fact.name not in {"is there", "is gone"}


def _sentence(facts: Sequence[Fact]) -> str:
    failing = [fact for fact in facts if fact.holds is False]
    unknown = [fact for fact in facts if fact.holds is None]
    match recovery_of(facts):
        case Recovery.RECOVERED:
            return f"All {len(facts)} facts hold."
        case Recovery.NOT_RECOVERED:
            return f"It did not help: {_named(failing[0])}."
        case Recovery.UNKNOWN if unknown:
            return f"It cannot be told whether it helped: {_named(unknown[0])}."
        case Recovery.UNKNOWN:
            return "Nothing that was changed tells whether it helped."


def _named(fact: Fact) -> str:
    place = fact.reference.partition("/")[2]
    detail = f" ({fact.detail.rstrip('.')})" if fact.detail else ""
    return f"{place}: {fact.name}{' does not hold' if fact.holds is False else ' is not known'}{detail}"
