"""What is asked of Elasticsearch, and which part of a hit is the log message."""

import json
import math
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

TIME = "@timestamp"
EVERYTHING = {"", "*"}

_MESSAGE_FIELDS = ("message", "log", "event.original", "log.original")
# Quoted phrases and regular expressions stay as they are; outside them, words are looked at.
_PARTS = re.compile(r'"(?:\\.|[^"\\])*"?|/(?:\\.|[^/\\])*/|\\.|[^\s()"/\\]+|\s+|[()/]', re.DOTALL)
_OPERATORS = {"and", "or", "not"}


def search_body(
    query: str, since: timedelta, size: int, pit_id: str, after: list[Any] | None
) -> dict[str, Any]:
    """One page, newest first; `after` is the last hit's `sort` of the page before."""
    newest_first = {
        "order": "desc",
        "format": "strict_date_optional_time_nanos",
        "numeric_type": "date_nanos",
        "unmapped_type": "date",
    }
    body: dict[str, Any] = {
        "query": query_of(query, since),
        "size": size,
        "sort": [{TIME: newest_first}, {"_shard_doc": "desc"}],
        "pit": {"id": pit_id, "keep_alive": "1m"},
        "track_total_hits": False,
    }
    return body if after is None else body | {"search_after": after}


def query_of(query: str, since: timedelta) -> dict[str, Any]:
    """The time range, by Elasticsearch's clock, and the user's query over all fields."""
    seconds = max(1, math.ceil(since.total_seconds()))
    within = {"range": {TIME: {"gte": f"now-{seconds}s", "lte": "now"}}}
    words: dict[str, Any] = {"match_all": {}}
    if query.strip() not in EVERYTHING:
        words = {
            "query_string": {
                "query": promote_operators(query),
                "default_field": "*",
                "analyze_wildcard": True,
                "lenient": True,
            }
        }
    return {"bool": {"must": [words], "filter": [within]}}


def promote_operators(query: str) -> str:
    """Lower-case `and`, `or`, `not` as the operators Lucene spells in capitals."""
    parts = _PARTS.findall(query)
    return "".join(part.upper() if part.lower() in _OPERATORS else part for part in parts)


def message_of(source: Mapping[str, Any]) -> str:
    """The hit's own message where it has one, else the whole hit as JSON."""
    candidates = (_field(source, name) for name in _MESSAGE_FIELDS)
    message = next((text for text in candidates if isinstance(text, str) and text), None)
    return json.dumps(source, ensure_ascii=False) if message is None else message


def _field(source: Mapping[str, Any], name: str) -> object:
    if name in source:
        return source[name]
    head, _, tail = name.partition(".")
    inner = source.get(head)
    return _field(inner, tail) if tail and isinstance(inner, Mapping) else None
