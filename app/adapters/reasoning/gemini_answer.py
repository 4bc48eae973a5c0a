"""Gemini's reply, checked until nothing but a complete answer of the asked type passes."""

import re

from pydantic import ValidationError
from pydantic_core import from_json

from app.adapters.reasoning.gemini_faults import MayPass, UnusableAnswer
from app.adapters.reasoning.gemini_reply import Reply
from app.domain.errors import ReasonerFailed
from app.domain.ports import A

_COMPLETE = "STOP"
_TOO_LONG = "MAX_TOKENS"
_MARKDOWN = re.compile(r"\A```(?:json)?\s*\n(.*)\n?```\s*\Z", re.DOTALL)


def to_answer(reply: Reply, answer_type: type[A], max_tokens: int) -> A:
    """The answer; raises ReasonerFailed for all that is cut short, blocked, empty or malformed."""
    _check_complete(reply, max_tokens)
    text = reply.text.strip()
    if fenced := _MARKDOWN.match(text):
        text = fenced.group(1)
    if not text:
        raise UnusableAnswer("Gemini's answer is empty")
    _check_parts(text, answer_type)
    try:
        return answer_type.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        # From None: the cause would carry the answer's text into the log.
        raise UnusableAnswer(
            f"Gemini's answer does not have the agreed form at {place}: {first['msg']}"
        ) from None


def _check_complete(reply: Reply, max_tokens: int) -> None:
    if reply.block_reason:
        raise ReasonerFailed(f"Gemini's filter blocked the question ({reply.block_reason})")
    if reply.finish_reason is None:
        raise MayPass("Gemini's answer broke off before its end")
    if reply.finish_reason == _TOO_LONG:
        raise ReasonerFailed(
            f"the answer was longer than MAX_TOKENS ({max_tokens}), which counts the model's "
            "thinking too; raise it and start the workflow again"
        )
    if reply.finish_reason != _COMPLETE:
        raise ReasonerFailed(
            f"Gemini stopped before the answer was complete: {reply.finish_reason}"
        )


def _check_parts(text: str, answer_type: type[A]) -> None:
    # Every part of an answer has a default, so `{}` would pass as "nothing found".
    try:
        answer = from_json(text, allow_partial=False)
    except ValueError:
        raise UnusableAnswer("Gemini's answer is not JSON") from None
    if not isinstance(answer, dict):
        raise UnusableAnswer("Gemini's answer is not a JSON object")
    lists = {
        name for name, field in answer_type.model_fields.items() if isinstance(field.default, tuple)
    }
    if missing := sorted(lists - set(answer)):
        raise UnusableAnswer(f"Gemini's answer lacks {', '.join(missing)}")
