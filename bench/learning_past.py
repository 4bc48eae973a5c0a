"""A feedback log of any length, as years of use would leave it: the simulated world's plans, decided.

Every incident has the words of its failure, a service's own sentence out of `SENTENCES`, and one word
that no other incident has. A record is about four lines: proposed, linked, decided, and every third
one rated, every second one executed and verified.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from app.adapters.storage.feedback_lines import to_line
from app.domain.approval import ApprovalReport, Decision, Delivery
from app.domain.course import Executed, Outcome, Verified
from app.domain.feedback import (
    FeedbackEvent,
    Linked,
    PlannedCommand,
    Proposed,
    Rated,
    ShownExample,
    Signature,
)
from app.domain.guidance import ExampleRole, Guidance
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.actions import planned_commands
from app.learning.reported import events_of
from app.learning.signature import signature_of_plan
from bench.figures import say
from bench.learning_engine import Engine
from bench.learning_people import Crowd, People, report_of
from bench.learning_world import World

VARIANTS = 5_000
"""Different incidents; each comes again with other identifiers and a word of its own."""
SENTENCES = 2_000
WORDS_OF_SENTENCE = 10
VOCABULARY = 20_000
DELAY = 20
"""A decision comes so many records after its proposal."""
BETWEEN = timedelta(seconds=60)
START = datetime(2028, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=3650)
RATED, VERIFIED = 0.3, 0.5
SHOWN = 3
BLOCK = 2_000
"""Records that are written at once."""
_WORD = "qqqqqqqqq"
_ID = "7777777777"
_SHOWN = tuple(f"666666666{place}" for place in range(SHOWN))
_AT = "2028-01-01T00:00:00Z"
_LATER = "2028-01-01T00:00:01Z"
_LETTERS = "bcdfghjklm"
_FEEDBACK = FeedbackId(f"{_ID}_remediation_1")
_APPROVAL = ApprovalId(f"approval-{_ID}")
_REASON = "Similarity 0.83 to this incident; reviewers approved 2 of 2 commands; reward 0.95."


@dataclass(frozen=True, slots=True)
class Variant:
    """A record's lines, with marks where identifiers, times and the rare word go."""

    proposed: bytes
    decided: bytes


def write_past(path: Path, records: int, text_bytes: int = 0, seed: int = 7) -> int:
    """Write so many records; returns how many lines they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        lines = 0
        for block in blocks(records, text_bytes, seed):
            file.write(block)
            lines += block.count(b"\n")
    return lines


def blocks(records: int, text_bytes: int = 0, seed: int = 7, *, first: int = 0) -> Iterator[bytes]:
    """The log in pieces of whole lines; a first number of another log continues it."""
    start = START + (YEARS if first else timedelta())
    chance = Random(seed)
    variants = [*_variants(chance, min(VARIANTS, records))]
    waiting: deque[bytes] = deque()
    block: list[bytes] = []
    for number in range(first, first + records):
        variant = chance.choice(variants)
        at = start + (number - first) * BETWEEN
        block.append(_filled(variant.proposed, number, at, _shown(chance, number)))
        if text_bytes:
            text = chance.randbytes(text_bytes // 4).hex().encode()
            block[-1] = block[-1].replace(b'"@"', b'"' + text + b'"')
        waiting.append(_filled(variant.decided, number, at + DELAY * BETWEEN, ()))
        if len(waiting) > DELAY:
            block.append(waiting.popleft())
        if len(block) >= 2 * BLOCK:
            yield b"".join(block)
            block.clear()
            if number % (50 * BLOCK) < BLOCK:
                say(f"written {number + 1:,} records")
    yield b"".join([*block, *waiting])


def word_of(number: int) -> str:
    """A word of nine letters that stands for a number."""
    return "".join(_LETTERS[int(digit)] for digit in f"{number:09}")


def _shown(chance: Random, number: int) -> tuple[int, ...]:
    """The numbers of earlier records, the newer ones more often."""
    return tuple(max(number - 1 - int(chance.expovariate(0.001)), 0) for _ in range(SHOWN))


def _filled(lines: bytes, number: int, at: datetime, shown: tuple[int, ...]) -> bytes:
    filled = lines.replace(_ID.encode(), f"{number:010}".encode())
    filled = filled.replace(_AT.encode(), at.strftime("%Y-%m-%dT%H:%M:%SZ").encode())
    later = at + timedelta(minutes=5)
    filled = filled.replace(_LATER.encode(), later.strftime("%Y-%m-%dT%H:%M:%SZ").encode())
    for mark, one in zip(_SHOWN, shown, strict=False):
        filled = filled.replace(mark.encode(), f"{one:010}".encode())
    return filled.replace(_WORD.encode(), word_of(number).encode())


def _variants(chance: Random, count: int) -> Iterator[Variant]:
    world = World(Random("world past"))
    people = People(world, Crowd(), Random("people past"))
    engine = Engine(Random("engine past"))
    weights = [1 / (rank + 10) for rank in range(VOCABULARY)]
    words = [word_of(10**8 + rank) for rank in range(VOCABULARY)]
    sentences = [chance.choices(words, weights, k=WORDS_OF_SENTENCE) for _ in range(SENTENCES)]
    for _ in range(count):
        incident = world.incident()
        proposal = engine.plan(incident, Guidance())
        (cause,) = incident.analysis.root_cause_analysis
        sentence = chance.choice(sentences)
        evidence = " ".join([*sentence, _WORD])
        analysis = incident.analysis.model_copy(
            update={"root_cause_analysis": (cause.model_copy(update={"evidence": (evidence,)}),)}
        )
        plan = proposal.plan
        signature = signature_of_plan(plan, analysis, plan.entities.namespace)
        proposed = _proposed(plan.issue, signature, planned_commands(plan))
        delivery = Delivery(message_id=f"m-{_ID}", signed_at=1_830_000_000)
        report = report_of(_APPROVAL, people.decide(incident, proposal), delivery)
        yield Variant(_lines(proposed), _lines(_decided(chance, report)))


def _proposed(
    issue: str, signature: Signature, commands: tuple[PlannedCommand, ...]
) -> list[FeedbackEvent]:
    shown = tuple(
        ShownExample(feedback_id=f"{mark}_remediation_1", role=ExampleRole.ACCEPTED, reason=_REASON)
        for mark in _SHOWN
    )
    proposed = Proposed(
        id=_id_of("proposed"),
        ts=datetime.fromisoformat(_AT),
        feedback_id=_FEEDBACK,
        workflow_id=_ID,
        issue=issue,
        signature=signature,
        commands=commands,
        input_data="@",
        output_data="@",
        shown=shown,
        is_held_out=False,
        holdout_share=0.1,
        propensity=0.9,
    )
    linked = Linked(
        id=_id_of("linked"), ts=proposed.ts, feedback_id=_FEEDBACK, approval_id=_APPROVAL
    )
    return [proposed, linked]


def _decided(chance: Random, report: ApprovalReport) -> list[FeedbackEvent]:
    at, later = datetime.fromisoformat(_AT), datetime.fromisoformat(_LATER)
    (decided,) = events_of(report, at, _FEEDBACK)
    events: list[FeedbackEvent] = [decided.model_copy(update={"id": _id_of("decided")})]
    if report.decision is Decision.APPROVED and chance.random() < VERIFIED:
        commands = tuple(
            one.model_copy(update={"status": "succeeded", "output": "done"})
            for one in report.commands
        )
        outcome = chance.choice((Outcome.RESOLVED, Outcome.RESOLVED, Outcome.UNRESOLVED))
        executed = Executed(
            id=_id_of("executed"), ts=later, approval_id=_APPROVAL, commands=commands
        )
        verified = Verified(id=_id_of("verified"), ts=later, approval_id=_APPROVAL, outcome=outcome)
        named = {"feedback_id": _FEEDBACK}
        events += (one.model_copy(update=named) for one in (executed, verified))
    if chance.random() < RATED:
        stars = chance.randrange(1, 6)
        events.append(Rated(id=_id_of("rated"), ts=later, feedback_id=_FEEDBACK, rating=stars))
    return events


def _id_of(kind: str) -> str:
    return f"{kind:-<22}{_ID}"


def _lines(events: Sequence[FeedbackEvent]) -> bytes:
    return b"".join(map(to_line, events))
