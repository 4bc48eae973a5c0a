"""Asks again when a decision was about something that is not there any more."""

import logging
from dataclasses import replace
from datetime import timedelta

from app.approvals.changes import Changes
from app.approvals.judging import CommandJudge
from app.approvals.ports import ApprovalStore
from app.approvals.proposing import is_in_evidence, namespace_of
from app.domain.ports import Clock
from app.domain.review import Approval

log = logging.getLogger(__name__)


class Voiding:
    """For whoever is about to run an approval and finds the cluster changed."""

    def __init__(
        self,
        store: ApprovalStore,
        judge: CommandJudge,
        clock: Clock,
        changes: Changes,
        expiry: timedelta,
    ) -> None:
        """`expiry` is how long a request waits for a decision."""
        self._store = store
        self._judge = judge
        self._clock = clock
        self._changes = changes
        self._expiry = expiry

    async def void(self, approval: Approval, reason: str) -> bool:
        """Ask again; False when somebody did, or a command has begun. Raises Conflict."""
        namespace = namespace_of(approval.metadata)
        commands = tuple(
            replace(
                self._judge.as_proposed(command, namespace),
                in_evidence=is_in_evidence(approval.metadata, command.text),
            )
            for command in approval.commands
        )
        again = approval.void(reason, commands, self._clock.now() + self._expiry)
        is_kept = await self._store.void(again)
        if is_kept:
            log.info("decision is void", extra={"approval_id": approval.approval_id})
            self._changes.announce()
        return is_kept
