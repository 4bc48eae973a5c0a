"""The Gemini client, closed against the environment; importing it takes two seconds.

Several environment variables make the libraries below send prompts somewhere else without a word.
Each is overruled here: Vertex AI and enterprise mode (`GOOGLE_GENAI_USE_VERTEXAI`,
`GOOGLE_GENAI_USE_ENTERPRISE`; they win over the model's own argument, hence our own client),
other addresses (`GOOGLE_GEMINI_BASE_URL`, `LANGSMITH_GATEWAY`), recording to files
(`GOOGLE_GENAI_CLIENT_MODE`) and tracing (`LANGSMITH_TRACING`, `LANGCHAIN_TRACING_V2`).
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx
from google.genai import Client
from google.genai.client import DebugConfig
from google.genai.errors import APIError
from google.genai.types import HttpOptions
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_google_genai.chat_models import ChatGoogleGenerativeAIError
from langsmith.run_helpers import tracing_context
from pydantic import SecretStr

from app.adapters.reasoning.gemini_faults import MayPass, Unreadable, fault_of_status
from app.adapters.reasoning.gemini_reply import Delivery, Piece, Tokens
from app.domain.errors import ReasonerFailed
from app.domain.prompt import Prompt

OFFICIAL_ADDRESS = "https://generativelanguage.googleapis.com"
API_VERSION = "v1beta"

_opened: ContextVar[list[httpx.Response]] = ContextVar("_opened")
"""The responses of the attempt at hand."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s?")
# What the libraries let through when an answer is not what they expect.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class GeminiAccess:
    """Which model is asked, with which key and limits."""

    api_key: SecretStr
    model: str
    temperature: float
    max_tokens: int
    timeout_seconds: float
    base_url: str | None


class GeminiClient:
    """One model and its connections, for the life of the process."""

    def __init__(self, access: GeminiAccess) -> None:
        """Sets up certificates and connections, which takes some 100 ms; asks nothing."""
        self._key = access.api_key.get_secret_value()
        # Reading certificates takes 50 ms a time, so that all clients share one reading.
        certificates = httpx.create_ssl_context()
        # No redirects: they would carry the key and the logs to an address nobody named.
        self._http = httpx.AsyncClient(
            verify=certificates,
            timeout=access.timeout_seconds,
            follow_redirects=False,
            event_hooks={"response": [_note_response]},
        )
        address = access.base_url or OFFICIAL_ADDRESS
        self._model = ChatGoogleGenerativeAI(
            model=access.model,
            api_key=access.api_key,
            base_url=address,
            vertexai=False,
            temperature=access.temperature,
            max_tokens=access.max_tokens,
            timeout=access.timeout_seconds,
            max_retries=1,
            client_args={"verify": certificates},
            cache=False,
            verbose=False,
        )
        self._client = Client(
            vertexai=False,
            api_key=self._key,
            http_options=HttpOptions(
                base_url=address,
                api_version=API_VERSION,
                client_args={"verify": certificates},
                httpx_async_client=self._http,
            ),
            debug_config=DebugConfig(client_mode=None, replays_directory=None, replay_id=None),
        )
        self._model.client = self._client

    async def ask(
        self, prompt: Prompt, schema: Mapping[str, Any] | None, delivery: Delivery
    ) -> AsyncGenerator[Piece, None]:
        """One attempt; raises ReasonerFailed, MayPass among it."""
        try:
            with tracing_context(enabled=False):
                async with (
                    _closing_responses(),
                    aclosing(self._messages(prompt, schema, delivery)) as messages,
                ):
                    async for message in messages:
                        yield _piece(message)
        except (APIError, ChatGoogleGenerativeAIError) as error:
            # From None, here and below: a cause's text may hold the key.
            raise self._fault_of(error) from None
        except httpx.TimeoutException:
            raise MayPass("Gemini did not answer in time") from None
        except httpx.HTTPError as error:
            raise MayPass(f"the connection to Gemini failed: {self._said(error)}") from None
        except _UNREADABLE as error:
            raise Unreadable(f"Gemini's reply cannot be read: {type(error).__name__}") from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._model.aclose()
        self._client.close()
        await self._client.aio.aclose()
        await self._http.aclose()

    async def _messages(
        self, prompt: Prompt, schema: Mapping[str, Any] | None, delivery: Delivery
    ) -> AsyncGenerator[AIMessage, None]:
        messages = [SystemMessage(prompt.system), HumanMessage(prompt.user)]
        form: dict[str, Any] = {"response_mime_type": "application/json"}
        if schema:
            form["response_json_schema"] = dict(schema)
        # An empty list cuts off the callbacks, tracers among them, of whoever calls us.
        if delivery is Delivery.WHOLE:
            yield await self._model.ainvoke(messages, config={"callbacks": []}, **form)
            return
        async for chunk in self._model.astream(messages, config={"callbacks": []}, **form):
            yield chunk

    def _fault_of(self, error: APIError | ChatGoogleGenerativeAIError) -> ReasonerFailed:
        cause = error if isinstance(error, APIError) else error.__cause__
        if not isinstance(cause, APIError):
            return ReasonerFailed(f"Gemini's client gave up: {self._said(error)}")
        details = _details(cause)
        message = self._scrubbed(str(cause.message or ""))
        reasons = frozenset(str(detail.get("reason", "")) for detail in details)
        return fault_of_status(cause.code, message, reasons, _wait_seconds(cause, details))

    def _said(self, error: Exception) -> str:
        return self._scrubbed(str(error)) or type(error).__name__

    def _scrubbed(self, text: str) -> str:
        plain = " ".join(text.replace(self._key, "…").split())
        return "" if plain.startswith("<") else plain[:300].rstrip(".")


@asynccontextmanager
async def _closing_responses() -> AsyncIterator[None]:
    """Close what was opened inside: the libraries leave that to the garbage collector when an
    answer is not read to its end, and meanwhile the model goes on writing.
    """
    opened: list[httpx.Response] = []
    before = _opened.set(opened)
    try:
        yield
    finally:
        _opened.reset(before)
        for response in opened:
            await response.aclose()


async def _note_response(response: httpx.Response) -> None:
    _opened.get().append(response)


def _details(error: APIError) -> list[dict[str, Any]]:
    body = error.details
    inner = body.get("error", body) if isinstance(body, dict) else {}
    found = inner.get("details") if isinstance(inner, dict) else None
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _wait_seconds(error: APIError, details: list[dict[str, Any]]) -> float | None:
    wishes = [str(detail["retryDelay"]) for detail in details if "retryDelay" in detail]
    headers = getattr(error.response, "headers", {})
    wishes += [headers["retry-after"]] if "retry-after" in headers else []
    durations = (_DURATION.fullmatch(wish) for wish in wishes)
    return next((float(duration.group(1)) for duration in durations if duration), None)


def _piece(message: AIMessage) -> Piece:
    about = message.response_metadata
    feedback = about.get("prompt_feedback") or {}
    blocked = feedback.get("block_reason")
    return Piece(
        text=message.text,
        finish_reason=about.get("finish_reason"),
        block_reason=str(getattr(blocked, "name", blocked)) if blocked else None,
        tokens=_tokens(message),
    )


def _tokens(message: AIMessage) -> Tokens:
    usage = message.usage_metadata
    if usage is None:
        return Tokens()
    thought = usage.get("output_token_details", {}).get("reasoning", 0)
    return Tokens(usage["input_tokens"], usage["output_tokens"], thought, usage["total_tokens"])
