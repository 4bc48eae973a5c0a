"""A Gemini reasoner on the fake server, a question for it, and ears for what it tells."""

import json
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from app.adapters.reasoning.gemini import GeminiReasoner
from app.agents.prompts import render_prompt
from app.domain.answer import AgentName, Entities
from app.domain.errors import ReasonerFailed
from app.domain.incident import Findings
from app.domain.logbatch import Line, LogBatch
from app.domain.questions import MonitoringFacts, Question, Usage
from tests.fakes.gemini_server import KEY


class Addressed(Protocol):
    """Whatever has an address."""

    @property
    def url(self) -> str: ...


HEALTHY = '{"summary": {}, "errors": [], "warnings": []}'
ONE_ERROR = json.dumps(
    {"summary": {}, "errors": [{"message": "cannot bind port 8080"}], "warnings": []}
)
SECRET_LINE = "ERROR cannot bind port 8080 for zebra-finch"
BATCH = LogBatch(1, 43, (), 0, (Line(1, SECRET_LINE),), True, Entities(), ())
FINDING = Question(AgentName.MONITORING, MonitoringFacts(BATCH), Findings)


def reasoner_for(server: Addressed, **changes: Any) -> AbstractAsyncContextManager[GeminiReasoner]:
    arguments: dict[str, Any] = {
        "api_key": SecretStr(KEY),
        "model": "gemini-test",
        "temperature": 0.2,
        "max_tokens": 512,
        "timeout_seconds": 10,
        "render": lambda question: render_prompt(question, 1000),
        "base_url": server.url,
        "first_delay_seconds": 0.01,
    }
    return aclosing(GeminiReasoner(**arguments | changes))


class Heard:
    """Collects what is told: lines, the tokens after each line, and costs."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.tokens: list[list[str]] = []
        self.costs: list[Usage] = []

    async def progress(self, text: str) -> None:
        self.said.append(text)
        self.tokens.append([])

    async def token(self, text: str) -> None:
        self.tokens[-1].append(text)

    async def usage(self, usage: Usage) -> None:
        self.costs.append(usage)


async def failure(reasoner: GeminiReasoner, *, teller: Heard | None = None) -> ReasonerFailed:
    with pytest.raises(ReasonerFailed) as caught:
        await reasoner.ask(FINDING, teller or Heard())
    return caught.value
