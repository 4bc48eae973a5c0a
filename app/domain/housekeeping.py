"""Events about what is learned as a whole, not about one plan; never changed either."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.course import FeedbackEventBase
from app.domain.ids import ApprovalId, FeedbackId


class Fingerprint(BaseModel):
    """A name that can be recognised and not read: guessing takes a tenth of a second a name."""

    model_config = ConfigDict(frozen=True)

    salt: str
    digest: str


class LessonSwitched(FeedbackEventBase):
    """A person switched a lesson off, or on again; the latest word counts."""

    type: Literal["lesson_switched"] = "lesson_switched"
    lesson_id: str
    active: bool


class Compacted(FeedbackEventBase):
    """The log was written anew; this is its first line since."""

    type: Literal["compacted"] = "compacted"
    generation: int = Field(ge=1)
    """Counts up, so that whoever read the log before notices."""


class Forgotten(FeedbackEventBase):
    """A workflow or a reviewer is to be forgotten; this holds none of their words.

    What names them is gone since the log was written anew, and whatever brings it back goes with
    the next time.
    """

    type: Literal["forgotten"] = "forgotten"
    workflow_id: str | None = None
    feedback_ids: tuple[FeedbackId, ...] = ()
    approval_ids: tuple[ApprovalId, ...] = ()
    reviewer: Fingerprint | None = None
