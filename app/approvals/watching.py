"""Which objects tell whether an approval helped, and what they say at one look."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.approvals.cluster_look import ClusterLook
from app.approvals.judging import CommandJudge, RefusedByPolicy
from app.approvals.proposing import namespace_of
from app.domain.errors import ClusterFailed
from app.domain.proof import Fact
from app.domain.review import MAY_HAVE_CHANGED, Approval, ReviewedCommand
from app.kubectl.cluster_object import ClusterObject, Target
from app.kubectl.health import (
    GONE,
    WORKLOADS,
    Restarts,
    pods_fact,
    restarts_fact,
    restarts_of,
    selector_of,
    workload_facts,
)
from app.kubectl.targets import is_dry, targets
from app.security.redaction import redact

LONGEST_OWNERSHIP = 4
MOST_PATTERNS = 10
SERVICE_KINDS = ("deployment", "statefulset", "daemonset")
TELLING_KINDS = WORKLOADS | {"pod"}
THERE, DELETED = "is there", "is gone"


@dataclass(frozen=True, slots=True)
class Watched:
    """One object that an approval changed, or is about."""

    target: Target
    owner: str | None = None
    """`kind/name` of what brings it back; its workload is what matters then."""
    is_deleted: bool = False
    is_about: bool = False
    """Nothing was done to it; the proposal names it. It need not be there."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look said, and what the next one is compared with."""

    facts: tuple[Fact, ...]
    restarts: Mapping[str, Restarts]
    """By workload."""

    @property
    def holds(self) -> bool:
        """Whether everything is as it should be."""
        return all(fact.holds for fact in self.facts)


class Watching:
    """Looks at what an approval changed; a look that fails is a fact that is not known."""

    def __init__(self, look: ClusterLook, judge: CommandJudge) -> None:
        """Only reads."""
        self._look = look
        self._judge = judge

    def watched(self, approval: Approval) -> tuple[Watched, ...]:
        """The objects of what has run; the service, where they do not tell how it is."""
        namespace = namespace_of(approval.metadata)
        found = [
            watched
            for command in approval.commands
            if command.is_change and not command.is_check and command.status in MAY_HAVE_CHANGED
            for watched in self._of_command(command, namespace)
        ]
        if not any(each.target.kind in TELLING_KINDS for each in found):
            found += _service(approval, namespace)
        return tuple(dict.fromkeys(found))

    async def look(
        self,
        watched: Sequence[Watched],
        patterns: Sequence[str],
        since: datetime,
        before: Look | None,
    ) -> Look:
        """Everything at once; `before` is the look that restarts are counted from."""
        answers = await asyncio.gather(*(self._workload_or_fact(each) for each in watched))
        workloads = {
            answer.target.reference: answer
            for answer in answers
            if isinstance(answer, ClusterObject)
        }
        facts = [answer for answer in answers if isinstance(answer, Fact)]
        counted = before.restarts if before else {}
        looks = await asyncio.gather(
            *(
                self._look_at(workload, patterns, since, counted.get(reference))
                for reference, workload in workloads.items()
            )
        )
        return Look(
            (*dict.fromkeys(facts), *(fact for each in looks for fact in each.facts)),
            {name: count for each in looks for name, count in each.restarts.items()},
        )

    def _of_command(self, command: ReviewedCommand, namespace: str | None) -> list[Watched]:
        try:
            parsed = self._judge.runnable(command.effective_text, namespace)
        except RefusedByPolicy:
            return []
        seen = command.proof.object if command.proof else None
        if is_dry(parsed):
            return []
        return [
            Watched(
                target,
                owner=seen.owner if seen and seen.reference == target.reference else None,
                is_deleted=parsed.verb == "delete",
            )
            for target in targets(parsed)
        ]

    async def _workload_or_fact(self, watched: Watched) -> ClusterObject | Fact | None:
        target = watched.target
        try:
            found = await self._look.get(target)
            if workload := await self._workload(watched, found):
                return workload
        except ClusterFailed as error:
            return None if watched.is_about else _unknown(target.reference, THERE, error)
        if watched.is_about:
            return None
        if watched.is_deleted:
            is_gone = found is None or found.at("metadata", "deletionTimestamp") is not None
            return Fact(reference=target.reference, name=DELETED, holds=is_gone)
        return Fact(reference=target.reference, name=THERE, holds=found is not None)

    async def _workload(
        self, watched: Watched, found: ClusterObject | None
    ) -> ClusterObject | None:
        """The topmost workload that the object belongs to."""
        target = watched.target
        if found is None and watched.owner:
            kind, _, name = watched.owner.partition("/")
            found = await self._look.get(Target(target.namespace, kind, name))
        elif watched.is_deleted and not watched.owner:
            return None
        workload = None
        for _ in range(LONGEST_OWNERSHIP):
            if found is None:
                break
            workload = found if found.kind in WORKLOADS else workload
            owner = found.controller
            found = await self._look.get(owner) if owner else None
        return workload

    async def _look_at(
        self,
        workload: ClusterObject,
        patterns: Sequence[str],
        since: datetime,
        counted: Restarts | None,
    ) -> Look:
        reference = workload.target.reference
        facts = [*workload_facts(workload)]
        restarts: Mapping[str, Restarts] = {}
        selector = selector_of(workload)
        try:
            pods = await self._look.list("pod", workload.namespace, selector)
        except ClusterFailed as error:
            facts.append(_unknown(reference, "pods can be read", error))
        else:
            now = restarts_of(pods)
            restarts = {reference: now}
            facts += [pods_fact(reference, pods), restarts_fact(reference, counted, now)]
        if patterns:
            facts.append(await self._error_fact(workload, selector, patterns, since))
        return Look(tuple(facts), restarts)

    async def _error_fact(
        self, workload: ClusterObject, selector: str, patterns: Sequence[str], since: datetime
    ) -> Fact:
        reference = workload.target.reference
        try:
            text = await self._look.log_since(workload.namespace, selector, since)
        except ClusterFailed as error:
            return _unknown(reference, GONE, error)
        # The patterns come from messages without secrets, so they are looked for in such.
        shown = await asyncio.to_thread(redact, text)
        found = [pattern for pattern in patterns if pattern in shown.text or pattern in text]
        detail = f"still logged: {found[0]}" if found else ""
        return Fact(reference=reference, name=GONE, holds=not found, detail=detail)


def _service(approval: Approval, namespace: str | None) -> list[Watched]:
    """The workload that the proposal is about, of whatever kind it may be."""
    name = approval.metadata.get("service")
    if not namespace or not isinstance(name, str) or not name:
        return []
    return [Watched(Target(namespace, kind, name), is_about=True) for kind in SERVICE_KINDS]


def error_patterns(approval: Approval) -> tuple[str, ...]:
    """What the findings' messages have in common with nothing else."""
    listed = approval.metadata.get("error_patterns")
    texts = [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
    return tuple(text for text in texts if text.strip())[:MOST_PATTERNS]


def _unknown(reference: str, name: str, error: ClusterFailed) -> Fact:
    return Fact(reference=reference, name=name, holds=None, detail=str(error))
