"""How the graph's state stands in its checkpoints: as JSON, with the answers' types by name."""

import json
from typing import Any

import orjson
from pydantic import TypeAdapter

from app.domain.approval import SubmissionReport
from app.domain.guidance import Guidance
from app.domain.incident import Analysis, Findings
from app.domain.plan import Remediation

FORMAT = "answers-1"
TYPE, VALUE = "answer_type", "answer"
TYPES: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (Findings, Analysis, Guidance, Remediation, SubmissionReport)
}


class UnreadableCheckpoint(Exception):
    """It was written by another version, or is not ours."""


class AnswerJson:
    """LangGraph's serializer protocol; nothing but the five types above comes to life again."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """The format's name and the text."""
        return FORMAT, orjson.dumps(obj, default=_tagged, option=orjson.OPT_PASSTHROUGH_DATACLASS)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """What was written; raises UnreadableCheckpoint."""
        if data[0] != FORMAT:
            raise UnreadableCheckpoint(f"its format is {data[0]}")
        try:
            return json.loads(data[1], object_hook=_untagged)
        except (ValueError, KeyError) as error:
            raise UnreadableCheckpoint(f"{type(error).__name__} in its text") from error


def _tagged(value: Any) -> Any:
    name = type(value).__name__
    if isinstance(value, BaseException):
        # LangGraph notes that a node failed; why stands in the events.
        return name
    if name not in TYPES:
        raise TypeError(f"{name} has no place in a checkpoint")
    return {TYPE: name, VALUE: TYPES[name].dump_python(value, mode="json")}


def _untagged(found: dict[str, Any]) -> Any:
    if found.keys() != {TYPE, VALUE}:
        return found
    return TYPES[found[TYPE]].validate_python(found[VALUE])
