"""What is worth knowing of an earlier plan beside its figures: edits, circumstances, refusals (pure)."""

from collections.abc import Iterator, Sequence
from itertools import islice

from app.domain.approval import CommandDecision
from app.domain.feedback import Environment, FeedbackRecord, Signature
from app.domain.guidance import Edit
from app.learning.actions import action_of
from app.learning.case import Neighbour
from app.learning.estimate import said_here
from app.learning.judgement import ACCEPTANCE

EDITS_LIMIT = 5
NOTE_LIMIT = 300


def edits_of(record: FeedbackRecord) -> tuple[Edit, ...]:
    """What people changed, from what to what."""
    found = (
        Edit(action_of(verdict.command), clip(verdict.command), clip(verdict.edited_to))
        for verdict in record.verdicts
        if verdict.decision is CommandDecision.EDITED and verdict.edited_to
    )
    return tuple(dict.fromkeys(found))[:EDITS_LIMIT]


def facets_of(theirs: Signature, ours: Signature) -> tuple[str, ...]:
    """The circumstances of an earlier incident, and where those at hand differ."""
    return tuple(_facets(theirs, ours))


def demonstration(
    neighbours: Sequence[Neighbour], shown: Sequence[Neighbour]
) -> tuple[Neighbour, ...]:
    """The nearest plan that people accepted with an edit, unless one is shown already."""
    if any(found.case.judgement.has_edit for found in shown):
        return ()
    edited = (one for one in neighbours if one.case.judgement.has_edit)
    accepted = (one for one in edited if one.case.judgement.accepted)
    return tuple(islice(accepted, 1))


def just_rejected(neighbours: Sequence[Neighbour], ours: Signature) -> dict[str, Neighbour]:
    """Actions that were rejected in the last decision on a like incident, the newest first.

    Of each environment that passes for ours: nobody can say whether an unknown one is the same.
    A decision that tells nothing here, as one on taking back a change that there was not, is none.
    """
    last: dict[Environment, Neighbour] = {}
    for neighbour in sorted(neighbours, key=_decided_last):
        if neighbour.is_like and said_here(neighbour, ours):
            last.setdefault(neighbour.case.facets.environment, neighbour)
    refused: dict[str, Neighbour] = {}
    for neighbour in last.values():
        for one in said_here(neighbour, ours):
            if one.credit < ACCEPTANCE:
                refused.setdefault(one.action, neighbour)
    return refused


def put_instead(record: FeedbackRecord, action: str) -> str:
    """The command of another action that people put in the place of one of this action, if any."""
    edits = (edit for edit in edits_of(record) if edit.action == action)
    return next((edit.changed_to for edit in edits if action_of(edit.changed_to) != action), "")


def clip(text: str) -> str:
    """One line of bounded length: what people wrote goes into prompts and pages."""
    line = " ".join(text.split())
    return line if len(line) <= NOTE_LIMIT else f"{line[: NOTE_LIMIT - 3]}..."


def _facets(theirs: Signature, ours: Signature) -> Iterator[str]:
    pairs = (
        ("failure", _known(theirs.failure_mode), _known(ours.failure_mode)),
        ("environment", _known(theirs.environment), _known(ours.environment)),
        ("workload", theirs.kind, ours.kind),
        ("severity", theirs.severity, ours.severity),
        ("recent change", _yes(theirs), _yes(ours)),
    )
    for name, earlier, here in pairs:
        if earlier or here:
            differs = "" if earlier == here else f", here {here or 'unknown'}"
            yield f"{name} {earlier or 'unknown'}{differs}"


def _decided_last(neighbour: Neighbour) -> tuple[int, int]:
    return -neighbour.case.decided_at, -neighbour.case.plan


def _known(value: str) -> str:
    return "" if value == Environment.UNKNOWN else str(value)


def _yes(signature: Signature) -> str:
    return "yes" if signature.has_recent_change else "no"
