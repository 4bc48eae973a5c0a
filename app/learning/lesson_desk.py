"""Where people look at lessons, and switch one off or on again."""

from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.feedback import event_id
from app.domain.housekeeping import LessonSwitched
from app.domain.ports import Clock
from app.learning.ledger import FeedbackLedger, Reading
from app.learning.lessons import LessonBook, Rule, is_active


@dataclass(frozen=True, slots=True)
class SwitchableRule:
    """A rule, and whether later plans learn from it."""

    rule: Rule
    is_active: bool


class LessonDesk:
    """A switch is an event of its own, so it survives whatever happens to the plans."""

    def __init__(self, ledger: FeedbackLedger, book: LessonBook, clock: Clock) -> None:
        """The book follows the ledger already."""
        self._ledger = ledger
        self._book = book
        self._clock = clock

    async def lessons(self) -> list[SwitchableRule]:
        """Every lesson with enough support, switched off or not."""
        async with self._ledger.reading() as turn:
            return self._switchable(turn)

    async def switch(self, lesson_id: str, *, active: bool) -> SwitchableRule:
        """Let later plans learn from it or not. Raises NotFound for what is no lesson now."""
        async with self._ledger.writing() as turn:
            known = next((one for one in self._switchable(turn) if _id_of(one) == lesson_id), None)
            if known is None:
                raise NotFound(f"Lesson '{lesson_id}' not found")
            if known.is_active is not active:
                now = turn.stamp(self._clock.now())
                identity = event_id("lesson_switched", lesson_id, active, now.isoformat())
                switched = LessonSwitched(id=identity, ts=now, lesson_id=lesson_id, active=active)
                await turn.append(switched)
        return SwitchableRule(known.rule, active)

    def _switchable(self, turn: Reading) -> list[SwitchableRule]:
        rules = self._book.rules()
        return [SwitchableRule(rule, is_active(rule, turn.switches)) for rule in rules]


def _id_of(switchable: SwitchableRule) -> str:
    return switchable.rule.lesson.id
