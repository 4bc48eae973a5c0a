"""Questions as text: the prompts are files, what others wrote is fenced, a missing value is an error."""

import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, assert_never

from app.domain.answer import Answer
from app.domain.guidance import Example, Guidance
from app.domain.logbatch import LogBatch
from app.domain.ports import A
from app.domain.prompt import Prompt
from app.domain.questions import (
    AnalysisFacts,
    Facts,
    MonitoringFacts,
    Question,
    RemediationFacts,
    RepairFacts,
)
from app.intake.render import render_batch

SYSTEM = "system"
MONITORING = "monitoring"
ANALYSIS = "analysis"
REMEDIATION = "remediation"
REPAIR = "repair"

NO_GUIDANCE = "Nothing is known from earlier decisions on incidents like this one."

_SLOT = re.compile(r"\{\{(\w+)\}\}")
_MARKER_BYTES = 8
_ANSWER_CHARACTERS = 60_000
GUIDANCE_TOKENS = 4_000
_CHARACTERS_PER_TOKEN = 4
_REFUSED_CHARACTERS = 24_000


def render_prompt(
    question: Question[A], log_tokens: int, guidance_tokens: int = GUIDANCE_TOKENS
) -> Prompt:
    """The question's prompt; the logs and what people decided take at most so many tokens."""
    # Nobody who wrote a log line can know the marker, so nothing fenced can close its fence.
    fence = Fence(secrets.token_hex(_MARKER_BYTES))
    name, data = _data(question.facts, log_tokens, guidance_tokens)
    values = {label: fence.around(label, text) for label, text in data.items()}
    return Prompt(
        system=render(SYSTEM, fence=fence.marker),
        user=render(name, **values),
        version=version_of(name),
    )


def render(name: str, **values: str) -> str:
    """A prompt file with its slots filled; raises ValueError unless slots and values agree."""
    template = read_template(name)
    slots = set(_SLOT.findall(template))
    if slots != set(values):
        raise ValueError(f"prompt {name}: slots {sorted(slots)}, values {sorted(values)}")
    return _SLOT.sub(lambda slot: values[slot.group(1)], template)


def version_of(name: str) -> str:
    """Names the wording: changes when the prompt or the part all prompts share does."""
    text = read_template(SYSTEM) + read_template(name)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@cache
def read_template(name: str) -> str:
    """The text of a prompt file."""
    return (files("app.agents") / "prompts" / f"{name}.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Fence:
    """Holds text of others apart from our own."""

    marker: str

    def around(self, label: str, text: str) -> str:
        """The text between its two marks."""
        return f"<<<{self.marker} {label}\n{text}\n{label} {self.marker}>>>"


def _data(facts: Facts, log_tokens: int, guidance_tokens: int) -> tuple[str, dict[str, str]]:
    match facts:
        case MonitoringFacts(batch):
            return MONITORING, {"logs": _logs(batch, log_tokens)}
        case AnalysisFacts(batch, findings):
            return ANALYSIS, {"logs": _logs(batch, log_tokens), "findings": _answer(findings)}
        case RemediationFacts(batch, analysis, guidance):
            return REMEDIATION, {
                "logs": _logs(batch, log_tokens),
                "analysis": _answer(analysis),
                "guidance": _guidance(guidance, guidance_tokens),
            }
        case RepairFacts(batch, refused):
            return REPAIR, {"logs": _logs(batch, log_tokens), "refused": _refused(refused)}
        case _:
            assert_never(facts)


def _logs(batch: LogBatch, log_tokens: int) -> str:
    whole = f"the whole input, {batch.total_lines} lines" if batch.is_complete else "an extract"
    return f"{whole}; each line stands as `number: text`\n{render_batch(batch, log_tokens)}"


def _answer(answer: Answer) -> str:
    return _clipped(answer.model_dump_json(exclude_none=True), _ANSWER_CHARACTERS)


def _guidance(guidance: Guidance, tokens: int) -> str:
    """What matters most first; what does not fit is left out whole, so that nothing is misread."""
    rows: list[dict[str, Any]] = [
        *([{"note": guidance.note}] if guidance.note else []),
        *({"lesson": lesson.sentence} for lesson in guidance.lessons),
        *({"just_rejected": asdict(rejected)} for rejected in guidance.just_rejected),
        *({"earlier_plan": _example(example)} for example in guidance.examples),
        *({"score": asdict(score)} for score in guidance.scoreboard),
    ]
    return _within(rows, tokens * _CHARACTERS_PER_TOKEN) if rows else NO_GUIDANCE


def _example(example: Example) -> dict[str, Any]:
    edits = [{"people_changed": edit.proposed, "to": edit.changed_to} for edit in example.edits]
    return {**asdict(example), "edits": edits}


def _within(rows: list[dict[str, Any]], room: int) -> str:
    kept: list[str] = []
    for row in rows:
        text = json.dumps(row, ensure_ascii=False)
        if len(text) < room:
            kept.append(text)
            room -= len(text) + 1
    left_out = len(rows) - len(kept)
    return "\n".join([*kept, json.dumps({"left_out": left_out})] if left_out else kept)


def _refused(refused: tuple[tuple[str, str], ...]) -> str:
    rows = [
        {"position": position, "command": command, "reason": reason}
        for position, (command, reason) in enumerate(refused, 1)
    ]
    return _clipped(_json_lines(rows), _REFUSED_CHARACTERS)


def _json_lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n(cut here: too long)"
