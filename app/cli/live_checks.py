"""The checks that ask another machine, once each, only on request."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus

import httpx
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from app.adapters.storage.connections import Access, open_engine
from app.adapters.storage.faults import reason
from app.bootstrap.location import database_location
from app.cli.installation import Check, Outcome
from app.domain.errors import StartupFailed
from app.settings import Settings

LIMIT_SECONDS = 20
GEMINI = "https://generativelanguage.googleapis.com"
QUESTION = {
    "contents": [{"role": "user", "parts": [{"text": "Answer with the one word: ready"}]}],
    "generationConfig": {"maxOutputTokens": 64},
}
FIXES = {
    HTTPStatus.TOO_MANY_REQUESTS: "its quota is used up: wait, or raise it",
    HTTPStatus.NOT_FOUND: "nothing is known under that address or model",
}


def ask_services(settings: Settings) -> Iterator[Check]:
    """One question to each service that is configured."""
    if settings.database_url is not None:
        yield _ask_database(settings)
    with httpx.Client(timeout=LIMIT_SECONDS) as client:
        if settings.google_api_key is not None:
            who = f"Gemini ({settings.gemini_model_id})"
            yield _ask(client, who, "GOOGLE_API_KEY", partial(_question_to_gemini, settings))
        if settings.elasticsearch_url is not None:
            question = partial(_question_to_elasticsearch, settings)
            yield _ask(client, "Elasticsearch", "the ELASTICSEARCH_ settings", question)
        if settings.mcp_server_url is not None:
            address = f"{settings.approval_base_url}/api/approvals/pending"
            question = partial(httpx.Request, "GET", address)
            yield _ask(client, "the approval server", "MCP_SERVER_URL", question)


def _ask_database(settings: Settings) -> Check:
    fix = "start it, or correct DATABASE_URL"
    try:
        location = database_location(settings)
    except StartupFailed as error:
        return Check(Outcome.FAILED, str(error), fix)
    try:
        with open_engine(location, Access.READ).connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError as error:
        seen = f"{location.name}, cannot be used ({reason(error)})"
        return Check(Outcome.FAILED, seen, fix)
    return Check(Outcome.OK, f"{location.name}, answers")


def _question_to_gemini(settings: Settings) -> httpx.Request:
    base = (settings.gemini_base_url or GEMINI).rstrip("/")
    address = f"{base}/v1beta/models/{settings.gemini_model_id}:generateContent"
    headers = {"x-goog-api-key": _open(settings.google_api_key)}
    return httpx.Request("POST", address, headers=headers, json=QUESTION)


def _question_to_elasticsearch(settings: Settings) -> httpx.Request:
    headers = {}
    if settings.elasticsearch_api_key:
        headers["Authorization"] = f"ApiKey {_open(settings.elasticsearch_api_key)}"
    elif settings.elasticsearch_user:
        pair = f"{settings.elasticsearch_user}:{_open(settings.elasticsearch_password)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return httpx.Request("GET", f"{settings.elasticsearch_url}", headers=headers)


def _open(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _ask(
    client: httpx.Client, who: str, settings: str, question: Callable[[], httpx.Request]
) -> Check:
    """A reason never holds an answer's body, which may repeat what was sent."""
    try:
        status = client.send(question()).status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        fix = f"check {settings} and the network"
        return Check(Outcome.FAILED, f"{who} cannot be asked ({type(error).__name__})", fix)
    if status == HTTPStatus.OK:
        return Check(Outcome.OK, f"{who} answers")
    fix = next((fix for code, fix in FIXES.items() if code == status), f"check {settings}")
    return Check(Outcome.FAILED, f"{who} answers with status {status}", fix)
