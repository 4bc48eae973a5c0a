"""Events about what is learned as a whole, not about one plan; never changed either."""

from typing import Literal

from app.domain.course import FeedbackEventBase


class LessonSwitched(FeedbackEventBase):
    """A person switched a lesson off, or on again; the latest word counts."""

    type: Literal["lesson_switched"] = "lesson_switched"
    lesson_id: str
    active: bool
