"""Gemini as a reasoner: asks, waits as told, believes nothing unchecked, fails with a sentence."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from app.adapters.reasoning.gemini_answer import to_answer
from app.adapters.reasoning.gemini_faults import MayPass, SchemaRefused, Unreadable
from app.adapters.reasoning.gemini_reply import Course, Delivery, Reply
from app.adapters.reasoning.gemini_schema import answer_schema
from app.domain.answer import Answer
from app.domain.errors import ReasonerFailed
from app.domain.ports import A
from app.domain.prompt import Prompt
from app.domain.questions import Question, Teller

if TYPE_CHECKING:
    from app.adapters.reasoning.gemini_client import GeminiClient

FIRST_DELAY_SECONDS = 1.0
# Whoever asks may hold us to the same limit: our sentence, which knows the reason, comes first.
PART_OF_LIMIT = 0.98

log = logging.getLogger(__name__)

Render = Callable[[Question[Any]], Prompt]


@dataclass(kw_only=True, slots=True)
class GeminiReasoner:
    """Asks one Gemini model; the client is built when the first question comes."""

    api_key: SecretStr
    model: str
    temperature: float
    max_tokens: int
    timeout_seconds: float
    """For one question, all attempts and waits included."""
    render: Render
    base_url: str | None = None
    first_delay_seconds: float = FIRST_DELAY_SECONDS
    """Before the second attempt when Gemini names no delay; doubled each time."""
    _trouble: str | None = field(default=None, init=False, repr=False)
    _client: "GeminiClient | None" = field(default=None, init=False, repr=False)
    _building: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)
    _without_schema: set[type[Answer]] = field(default_factory=set, init=False, repr=False)

    @property
    def name(self) -> str:
        """What users see."""
        return f"Gemini ({self.model})"

    async def ask(self, question: Question[A], teller: Teller) -> A:
        """Answer, or raise ReasonerFailed; what went wrong is kept for `trouble`."""
        course = Course()
        try:
            answer = await self._ask_in_time(question, teller, course)
        except ReasonerFailed as error:
            self._trouble = str(error)
            await self._tell_cost(course, teller)
            raise
        self._trouble = None
        await self._tell_cost(course, teller)
        return answer

    async def trouble(self) -> str | None:
        """Why the last answer failed."""
        return self._trouble

    async def aclose(self) -> None:
        """Close the connections, if there ever were any."""
        async with self._building:
            if self._client is not None:
                await self._client.aclose()
                self._client = None

    async def _tell_cost(self, course: Course, teller: Teller) -> None:
        if course.is_counted:
            await teller.usage(course.usage(self.model))

    async def _ask_in_time(self, question: Question[A], teller: Teller, course: Course) -> A:
        try:
            async with asyncio.timeout(self.timeout_seconds * PART_OF_LIMIT) as limit:
                return await self._ask_until_answered(question, teller, course, limit)
        except TimeoutError:
            raise ReasonerFailed(
                f"Gemini gave no answer within {self.timeout_seconds:g} s (AGENT_TIMEOUT_SECONDS)"
            ) from None

    async def _ask_until_answered(
        self, question: Question[A], teller: Teller, course: Course, limit: asyncio.Timeout
    ) -> A:
        prompt = self.render(question)
        await teller.progress(f"Asking {self.name}.")
        attempt = 1
        while True:
            try:
                return await self._ask_once(question, prompt, teller, course)
            except SchemaRefused:
                if question.answer_type in self._without_schema:
                    raise
                self._without_schema.add(question.answer_type)
            except MayPass as fault:
                delay = self._delay(fault, attempt, limit)
                if isinstance(fault, Unreadable):
                    # What breaks the client's reading of a stream may pass in one piece.
                    course.delivery = Delivery.WHOLE
                log.warning("gemini attempt failed", extra={"attempt": attempt, "delay": delay})
                # Told in any case: it parts what the broken attempt wrote from what comes.
                await teller.progress(f"Trying again in {delay:.1f} s because {fault}.")
                await asyncio.sleep(delay)
                attempt += 1

    async def _ask_once(
        self, question: Question[A], prompt: Prompt, teller: Teller, course: Course
    ) -> A:
        reply = await self._reply(question, prompt, teller, course)
        answer = to_answer(reply, question.answer_type, self.max_tokens)
        read, written = reply.tokens.read, reply.tokens.written
        used = {"tokens_in": read, "tokens_out": written}
        log.info("gemini answered", extra={"prompt_version": prompt.version, **used})
        await teller.progress(f"{self.name} answered: {read} tokens read, {written} written.")
        return answer

    async def _reply(
        self, question: Question[A], prompt: Prompt, teller: Teller, course: Course
    ) -> Reply:
        client = await self._open_client()
        schema = answer_schema(question.answer_type)
        if question.answer_type in self._without_schema:
            stream = client.ask(_with_form_in_words(prompt, schema), None, course.delivery)
        else:
            stream = client.ask(prompt, schema, course.delivery)
        reply = Reply()
        course.attempts += 1
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                reply.add(piece)
                course.tokens += piece.tokens
                if piece.text:
                    await teller.token(piece.text)
        return reply

    def _delay(self, fault: MayPass, attempt: int, limit: asyncio.Timeout) -> float:
        """How long to wait before the next attempt; raises the fault when there is none."""
        if attempt >= fault.most_attempts:
            raise ReasonerFailed(f"{fault} (tried {attempt} times)") from fault
        asked = fault.wait_seconds
        delay = self.first_delay_seconds * 2 ** (attempt - 1) if asked is None else asked
        deadline = limit.when()
        assert deadline is not None
        left = deadline - asyncio.get_running_loop().time()
        if delay >= left:
            raise ReasonerFailed(
                f"{fault}; the next try would be in {delay:.0f} s, but this question has only "
                f"{max(left, 0):.0f} s left (AGENT_TIMEOUT_SECONDS)"
            ) from fault
        return delay

    async def _open_client(self) -> "GeminiClient":
        async with self._building:
            if self._client is None:
                self._client = await asyncio.to_thread(self._build_client)
            return self._client

    def _build_client(self) -> "GeminiClient":
        # Two seconds of imports: in a thread, and only where Gemini is used.
        from app.adapters.reasoning.gemini_client import (  # noqa: PLC0415
            GeminiAccess,
            GeminiClient,
        )

        return GeminiClient(
            GeminiAccess(
                api_key=self.api_key,
                model=self.model,
                temperature=self.temperature,
                max_tokens=self.max_tokens,
                timeout_seconds=self.timeout_seconds,
                base_url=self.base_url,
            )
        )


@asynccontextmanager
async def open_gemini(  # noqa: PLR0913 - one argument per setting
    *,
    api_key: SecretStr,
    model: str,
    temperature: float,
    max_tokens: int,
    timeout_seconds: float,
    render: Render,
    base_url: str | None = None,
) -> AsyncIterator[GeminiReasoner]:
    """A reasoner whose connections end with the block."""
    reasoner = GeminiReasoner(
        api_key=api_key,
        model=model,
        temperature=temperature,
        max_tokens=max_tokens,
        timeout_seconds=timeout_seconds,
        render=render,
        base_url=base_url,
    )
    try:
        yield reasoner
    finally:
        await reasoner.aclose()


def _with_form_in_words(prompt: Prompt, schema: Mapping[str, Any]) -> Prompt:
    form = f"\nThe JSON schema of the answer:\n{json.dumps(schema)}\n"
    return replace(prompt, system=prompt.system + form)
