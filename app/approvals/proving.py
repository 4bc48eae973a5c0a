"""Proof cards: what a command would do to the cluster as it is now, and how it is taken back."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping

from app.approvals.cluster_look import NO_ANSWER, ClusterLook, ClusterRefused
from app.approvals.judging import CommandJudge, RefusedByPolicy
from app.approvals.proof_card import Seen, card_of
from app.domain.errors import ClusterFailed
from app.domain.ports import Clock
from app.domain.proof import Proof, ProofState, Undo, UndoKind
from app.kubectl.budgets import is_over
from app.kubectl.cluster_object import ClusterObject, Target
from app.kubectl.command import ParsedCommand
from app.kubectl.dry_run import dry_run_of
from app.kubectl.health import selector_of
from app.kubectl.revisions import earlier_revision, revision_kind
from app.kubectl.targets import is_dry, makes_new, targets

PROOF_SECONDS = 30.0
REFUSED = "The cluster does not take it"
LONGEST_OWNERSHIP = 4

log = logging.getLogger(__name__)


class Proving:
    """Fills in a card; it changes nothing, and a cluster that fails is a card as well."""

    def __init__(self, look: ClusterLook | None, judge: CommandJudge, clock: Clock) -> None:
        """Without a look there is no cluster."""
        self._look = look
        self._judge = judge
        self._clock = clock

    async def prove(self, command: ParsedCommand) -> Proof:
        """The card of one command; never an error."""
        rule = self._judge.policy.rule(command.path)
        if not rule.is_write or is_dry(command):
            return self._plain(ProofState.READ_ONLY, "It only reads; nothing is changed.")
        if self._look is None:
            return self._plain(ProofState.NO_CLUSTER, "No cluster is configured; nothing is run.")
        return await self._proven_or_why_not(self._look, command)

    async def _proven_or_why_not(self, look: ClusterLook, command: ParsedCommand) -> Proof:
        try:
            async with asyncio.timeout(PROOF_SECONDS):
                return await self._proven(look, command)
        except ClusterRefused as error:
            return self._plain(ProofState.REFUSED, f"{REFUSED}: {error}")
        except (ClusterFailed, TimeoutError) as error:
            return self._plain(ProofState.UNREACHABLE, str(error) or NO_ANSWER)
        except Exception:
            # Foreign errors have our types, so what comes here is our own reading of an answer that
            # it did not foresee: a type cannot name that. A crash would meet the same again at each
            # start, before any decision is reported.
            log.exception("a proof card cannot be made", extra={"action": command.action})
            return self._plain(ProofState.REFUSED, "The cluster's answer is not understood.")

    async def refusal(self, command: ParsedCommand) -> str | None:
        """Why the labels of what it changes forbid it; raises ClusterFailed."""
        policy = self._judge.policy
        if self._look is None or not policy.protects_labels or makes_new(command):
            return None
        if not policy.rule(command.path).is_write:
            return None
        live = [await self._look.get(target) for target in targets(command)]
        return self._refused(command, [each for each in live if each is not None])

    async def versions(self, references: Collection[str]) -> Mapping[str, str | None]:
        """Each object's version, None for one that is gone; raises ClusterFailed."""
        if self._look is None or not references:
            return {}
        return await self._look.versions(references)

    async def look_at(self, target: Target) -> ClusterObject | None:
        """One object, None when it is not there; raises ClusterFailed."""
        if self._look is None:
            raise ClusterFailed("No cluster is configured.")
        return await self._look.get(target)

    def _plain(self, state: ProofState, words: str) -> Proof:
        return Proof(state=state, at=self._clock.now(), sentence=words)

    async def _proven(self, look: ClusterLook, command: ParsedCommand) -> Proof:
        found = () if makes_new(command) else targets(command)
        live = tuple([each for target in found if (each := await look.get(target))])
        if len(live) < len(found):
            names = {each.target for each in live}
            gone = ", ".join(target.short for target in found if target not in names)
            return self._plain(ProofState.REFUSED, f"The cluster has no {gone}.")
        if refusal := self._refused(command, live):
            return self._plain(ProofState.REFUSED, refusal)
        seen = await _look_around(look, command, live)
        undo = self._judged(seen.undo_of(command))
        return await asyncio.to_thread(card_of, command, seen, undo, self._clock.now())

    def _refused(self, command: ParsedCommand, live: Iterable[ClusterObject]) -> str | None:
        reasons = (self._judge.refusal_of(command, each.labels) for each in live)
        return next((reason for reason in reasons if reason), None)

    def _judged(self, undo: Undo) -> Undo:
        """The undo, unless the policy would refuse its command as well."""
        if undo.kind is not UndoKind.COMMAND:
            return undo
        try:
            self._judge.runnable(undo.command, None)
        except RefusedByPolicy as error:
            return Undo(kind=UndoKind.NONE, why=f"Its inverse, {undo.command}, is {error}.")
        return undo


async def _look_around(
    look: ClusterLook, command: ParsedCommand, live: tuple[ClusterObject, ...]
) -> Seen:
    first = live[0] if live else None
    owners, budgets, revisions = await asyncio.gather(
        _owners(look, first), _budgets(look, first), _revisions(look, command, first)
    )
    wanted = command.value("to-revision")
    back_to = earlier_revision(revisions, int(wanted) if wanted and wanted.isdigit() else 0)
    if command.path == "rollout undo" and revisions and back_to is None:
        raise ClusterRefused("there is no revision to go back to.")
    would_be, refusal = await _would_be(look, command, back_to)
    return Seen(live, owners, budgets, revisions, would_be, refusal)


async def _would_be(
    look: ClusterLook, command: ParsedCommand, back_to: ClusterObject | None
) -> tuple[tuple[ClusterObject, ...], str | None]:
    """The objects as the command would leave them, or why the cluster would not take it."""
    found: list[ClusterObject] = []
    try:
        for question in dry_run_of(command, back_to):
            found += await look.dry_run(question)
    except ClusterRefused as error:
        return (), f"{REFUSED}: {error}"
    return tuple(found), None


async def _owners(look: ClusterLook, found: ClusterObject | None) -> tuple[ClusterObject, ...]:
    owners: list[ClusterObject] = []
    while found is not None and (owner := found.controller) and len(owners) < LONGEST_OWNERSHIP:
        try:
            found = await look.get(owner)
        except ClusterFailed:
            break
        if found is not None:
            owners.append(found)
    return tuple(owners)


async def _budgets(
    look: ClusterLook, found: ClusterObject | None
) -> tuple[ClusterObject, ...] | None:
    """Those over its pods; None when they cannot be read."""
    if found is None or not found.pod_labels:
        return ()
    try:
        listed = await look.list("poddisruptionbudget", found.namespace)
    except ClusterFailed:
        return None
    return tuple(each for each in listed if is_over(each, found.pod_labels))


async def _revisions(
    look: ClusterLook, command: ParsedCommand, found: ClusterObject | None
) -> tuple[ClusterObject, ...]:
    """What `rollout undo` can go back to."""
    if command.path != "rollout undo" or found is None:
        return ()
    listed = await look.list(revision_kind(found), found.namespace, selector_of(found))
    return tuple(each for each in listed if each.controller == found.target)
