"""One simulated course of incidents: proposed, decided later, learned from; and what it came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from app.domain.approval import Delivery
from app.domain.errors import Unauthorized
from app.domain.feedback import FeedbackEvent, Proposed, Rated, event_id
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.actions import planned_commands
from app.learning.ledger import FeedbackLedger
from app.learning.reported import events_of
from app.learning.signature import signature_of_plan
from app.security.signatures import WebhookSignature
from app.security.webhooks import WebhookDoor
from bench.learning_engine import Engine, Proposal
from bench.learning_people import Crowd, People, Verdicts, opposite, report_of
from bench.learning_selectors import SELECTORS, UNTAUGHT
from bench.learning_store import MemoryStore
from bench.learning_world import Incident, Situation, World

MOST_DELAY = 20
"""A decision comes up to so many incidents after its proposal."""
BETWEEN = timedelta(minutes=30)
SECRET = "whsec_c2ltdWxhdGlvbi1zZWNyZXQtMzItYnl0ZXMtbG9uZyEh"


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one incident."""

    worth: float
    """How likely an honest person approves the plan's changes, in the mean; reads alone are worth 0."""
    oracle: float
    heard: int
    """Decisions that were known when the plan was made."""
    is_read_only: bool
    was_just_rejected: bool
    """Whether the last word on such an incident was a rejection that the team stands by."""
    is_repeat: bool
    was_refused: bool
    """Whether the last word on such an incident was any rejection, also one by mistake."""
    is_unexplained: bool
    """Whether what was refused then is proposed again, and the plan does not say why."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plan with people."""

    due: int
    incident: Incident
    proposal: Proposal
    number: int

    @property
    def feedback_id(self) -> FeedbackId:
        return FeedbackId(f"{self.number}_remediation_1")

    @property
    def approval_id(self) -> ApprovalId:
        return ApprovalId(f"approval-{self.number}")


class Course:
    """A world, its people, an engine, and the product's own ledger and selector."""

    def __init__(self, seed: int, selector: str, crowd: Crowd) -> None:
        """The same seed gives every selector the same world and people."""
        self._world = World(Random(f"world {seed}"))
        self._people = People(self._world, crowd, Random(f"people {seed}"))
        self._engine = Engine(Random(f"engine {seed}"))
        self._delays = Random(f"delays {seed}")
        self._time = datetime(2030, 1, 1, tzinfo=UTC)
        self._store = MemoryStore()
        self._door = WebhookDoor(WebhookSignature(SECRET))
        ledger = FeedbackLedger(self._store)
        self._selector = SELECTORS[selector](ledger, self._world, Random(f"selector {seed}"))
        self._learns = selector not in UNTAUGHT
        self._waiting: list[Waiting] = []
        self._heard = 0
        self._last_word: dict[Situation, frozenset[str]] = {}

    async def run(self, incidents: int, drift_at: int | None) -> Sequence[Step]:
        """Every incident's outcome, in order."""
        steps = []
        for number in range(incidents):
            if number == drift_at:
                self._world.drift()
            self._time += BETWEEN
            await self._hear(number)
            steps.append(await self._step(number))
        return steps

    async def _step(self, number: int) -> Step:
        incident = self._world.incident()
        guidance = await self._selector.guide(incident)
        proposal = self._engine.plan(incident, guidance)
        due = number + 1 + self._delays.randrange(MOST_DELAY)
        waiting = Waiting(due, incident, proposal, number)
        self._waiting.append(waiting)
        await self._tell(self._proposed(waiting))
        return self._judged(incident, proposal)

    def _proposed(self, one: Waiting) -> Proposed:
        """As the product's recorder writes it, without the texts."""
        analysis, plan = one.incident.analysis, one.proposal.plan
        return Proposed(
            id=f"proposed-{one.number}",
            ts=self._time,
            feedback_id=one.feedback_id,
            workflow_id=str(one.number),
            issue=plan.issue,
            signature=signature_of_plan(plan, analysis, plan.entities.namespace),
            commands=planned_commands(plan),
        )

    def _judged(self, incident: Incident, proposal: Proposal) -> Step:
        situation, yes = incident.situation, self._people.acceptance
        wanted = [self._world.is_wanted(situation, remedy) for remedy in proposal.remedies]
        worths = [yes if is_wanted else 1 - yes for is_wanted in wanted]
        refused = self._last_word.get(situation, frozenset())
        rejected = {remedy for remedy in refused if not self._world.is_wanted(situation, remedy)}
        return Step(
            worth=sum(worths) / len(worths) if worths else 0.0,
            oracle=yes,
            heard=self._heard,
            is_read_only=not worths,
            was_just_rejected=bool(rejected),
            is_repeat=not rejected.isdisjoint(proposal.remedies),
            was_refused=bool(refused),
            is_unexplained=bool((refused & {*proposal.remedies}) - proposal.explained),
        )

    async def _hear(self, number: int) -> None:
        """Everything that people said by now."""
        due = [one for one in self._waiting if one.due <= number]
        self._waiting = [one for one in self._waiting if one.due > number]
        for one in due:
            verdicts = self._people.decide(one.incident, one.proposal)
            if self._people.is_forged():
                await self._forge(one, verdicts)
            delivery = Delivery(message_id=f"m-{one.approval_id}", signed_at=number)
            await self._report(one, verdicts, delivery)
            await self._rate(one, verdicts)
            self._heard += 1
            self._last_word[one.incident.situation] = verdicts.rejected

    async def _forge(self, one: Waiting, verdicts: Verdicts) -> None:
        """An unsigned report of the opposite, and a rating that fits it: ratings need no signature."""
        lie = opposite(verdicts)
        await self._rate(one, lie)
        try:
            delivery = self._door.admit({"webhook-id": "forged"}, b"{}", "forger")
        except Unauthorized:
            return
        await self._report(one, lie, delivery)

    async def _report(self, one: Waiting, verdicts: Verdicts, delivery: Delivery | None) -> None:
        report = report_of(one.approval_id, verdicts, delivery)
        await self._tell(*events_of(report, self._time, one.feedback_id))

    async def _rate(self, one: Waiting, verdicts: Verdicts) -> None:
        rating = self._people.rating(verdicts)
        if rating is None:
            return
        rated = Rated(
            id=event_id("rated", one.number, rating),
            ts=self._time,
            feedback_id=one.feedback_id,
            rating=rating.rating,
            was_helpful=rating.was_helpful,
        )
        await self._tell(rated)

    async def _tell(self, *events: FeedbackEvent) -> None:
        """Selectors that learn nothing need no records."""
        if self._learns:
            await self._store.append(events)
