"""The lessons that later plans learn from, with their evidence and a switch for each."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from app.api.deps import Parts
from app.api.v1.feedback import SmallBodyRoute
from app.domain.feedback import Environment
from app.learning.lesson_desk import SwitchableRule
from app.learning.lessons import WINDOW

router = APIRouter(prefix="/feedback/lessons", tags=["feedback"], route_class=SmallBodyRoute)


class LessonSwitch(BaseModel):
    """What a person wants of a lesson."""

    active: bool


class LessonAnswer(BaseModel):
    """A lesson, why it is believed, and how old its evidence is."""

    id: str
    sentence: str
    active: bool
    environment: Environment
    verb: str
    target: str
    verdict: str
    """`approved` or `rejected`."""
    support: int
    contradictions: int
    certainty: float
    """At least this share of such decisions agrees (Wilson, one-sided 95 %)."""
    since: datetime
    supported_at: datetime
    contradicted_at: datetime | None


class Lessons(BaseModel):
    """The most certain first; of each kind the newest `window` decisions count."""

    lessons: list[LessonAnswer]
    count: int
    window: int


@router.get("")
async def lessons(parts: Parts) -> Lessons:
    """Every lesson with enough support, switched off or not."""
    found = [to_lesson(one) for one in await parts.lessons.lessons()]
    return Lessons(lessons=found, count=len(found), window=WINDOW)


@router.post("/{lesson_id}")
async def switch(
    lesson_id: Annotated[str, Path(max_length=64)], wanted: LessonSwitch, parts: Parts
) -> LessonAnswer:
    """Switch a lesson off, or on again."""
    return to_lesson(await parts.lessons.switch(lesson_id, active=wanted.active))


def to_lesson(switchable: SwitchableRule) -> LessonAnswer:
    """As the page shows it."""
    rule = switchable.rule
    return LessonAnswer(
        id=rule.lesson.id,
        sentence=rule.lesson.sentence,
        active=switchable.is_active,
        environment=rule.level.environment,
        verb=rule.level.verb,
        target=rule.level.target,
        verdict="rejected" if rule.is_against else "approved",
        support=rule.support,
        contradictions=rule.contradictions,
        certainty=rule.certainty,
        since=rule.since,
        supported_at=rule.supported_at,
        contradicted_at=rule.contradicted_at,
    )
