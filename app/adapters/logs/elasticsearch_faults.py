"""What can go wrong with Elasticsearch, in our own words and without credentials."""

from collections.abc import Mapping

from elastic_transport import (
    ApiError,
    ConnectionTimeout,
    SerializationError,
    TlsError,
    TransportError,
)
from elasticsearch import ApiError as ElasticsearchApiError
from elasticsearch import UnsupportedProductError

from app.domain.errors import AppError, BadInput, LogSourceFailed, LogSourceTimedOut

_QUERY_FAULTS = {
    "query_shard_exception",
    "parse_exception",
    "parsing_exception",
    "too_many_clauses",
    "too_many_nested_clauses",
}
_SENTENCES: dict[type[Exception], str] = {
    TlsError: "The certificate of Elasticsearch at {} is not trusted.",
    UnsupportedProductError: "The server at {} is not Elasticsearch.",
    SerializationError: "The server at {} answered with something unreadable.",
}
_LONGEST_REASON = 300


def fault_of(error: TransportError | ApiError, address: str) -> AppError:
    """The error users see; `address` must not hold credentials."""
    for kind, sentence in _SENTENCES.items():
        if isinstance(error, kind):
            return LogSourceFailed(sentence.format(address))
    if isinstance(error, ConnectionTimeout):
        return LogSourceTimedOut(f"Elasticsearch at {address} did not answer in time.")
    if isinstance(error, ElasticsearchApiError):
        return _fault_of_status(error, address)
    return LogSourceFailed(f"Elasticsearch cannot be reached at {address}.")


def _fault_of_status(error: ElasticsearchApiError, address: str) -> AppError:
    status = error.meta.status
    kind, reason = _first_cause(error.body)
    if status in {401, 403}:
        return LogSourceFailed(
            "Elasticsearch refused the credentials (ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USER "
            "and ELASTICSEARCH_PASSWORD) or does not let them read these indices."
        )
    if status == 400 and kind in _QUERY_FAULTS:
        return BadInput(f"Invalid filter_pattern: {reason}")
    if kind == "index_not_found_exception":
        return LogSourceFailed("None of the indices in ELASTICSEARCH_INDEX exists.")
    return LogSourceFailed(f"Elasticsearch at {address} answered {status}: {reason or 'no reason'}")


def _first_cause(body: object) -> tuple[str, str]:
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return "", ""
    causes = error.get("root_cause")
    cause = causes[0] if isinstance(causes, list) and causes else error
    if not isinstance(cause, Mapping):
        return "", ""
    return str(cause.get("type", "")), _clipped(cause.get("reason", ""))


def _clipped(reason: object) -> str:
    return " ".join(str(reason).split())[:_LONGEST_REASON]
